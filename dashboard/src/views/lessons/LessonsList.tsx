/** Every lesson in its order, under the seed that the address holds. */
import { Page } from "~/elements/Page";
import { language } from "~/text/language";
import { lessonsText } from "~/text/lessons";
import { LESSONS } from "./register";
import { addressOf, SeedField, useSeed } from "./Seed";
import { isSolved } from "./solved";

export function LessonsList() {
  const text = lessonsText();
  const [seed] = useSeed();
  return (
    <Page title={text.title} lead={text.lead}>
      <SeedField />
      <ol class="lessons">
        {LESSONS.map(({ name, words }) => {
          const { title, lead } = words[language.value];
          return (
            <li key={name}>
              <a href={addressOf(name, seed)}>{title}</a>
              {isSolved(name, seed) && <span class="solved">✓ {text.solved}</span>}
              <span class="muted">{lead}</span>
            </li>
          );
        })}
      </ol>
    </Page>
  );
}
