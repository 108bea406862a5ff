/** A lesson: its text part by part beside live pictures, then its exercise. */
import { ProblemNotice } from "~/elements/Notice";
import { Page } from "~/elements/Page";
import { useResource } from "~/state/resource";
import { language } from "~/text/language";
import { lessonsText } from "~/text/lessons";
import { Calls } from "./calls";
import { ExerciseCard } from "./ExerciseCard";
import type { Numbers } from "./lesson";
import { LESSONS } from "./register";
import { addressOf, SeedField, useSeed } from "./Seed";
import { Text } from "./Text";
import { useWaited, Waiting } from "./Waiting";

export function LessonPage({ place }: { place: number }) {
  const text = lessonsText();
  const [seed] = useSeed();
  const lesson = LESSONS[place]!;
  const words = lesson.words[language.value];
  const [waited, tell] = useWaited(seed);
  const found = useResource(`lesson ${lesson.name} ${seed}`, (signal) => lesson.load(new Calls(seed, signal, tell)));
  const numbers: Numbers = found.value === undefined ? {} : lesson.numbers(found.value);
  return (
    <Page title={words.title} above={<a href={`/lessons?seed=${seed}`}>{text.list}</a>} lead={words.lead}>
      <SeedField lesson={lesson.name} />
      <ProblemNotice problem={found.problem} retry={found.reload} />
      {found.isLoading && found.value === undefined && <Waiting jobs={waited} />}
      {Object.entries(words.parts).map(([part, { title, text: paragraphs }]) => {
        const Picture = lesson.pictures[part];
        return (
          <section key={part} class={Picture ? "lesson-part" : "lesson-part alone"}>
            <div class="lesson-text">
              <h2>{title}</h2>
              {paragraphs.map((paragraph, at) => (
                <p key={at}>
                  <Text text={paragraph} numbers={numbers} />
                </p>
              ))}
            </div>
            {Picture && <div class="lesson-picture">{found.value !== undefined && <Picture data={found.value} words={words.picture} numbers={numbers} />}</div>}
          </section>
        );
      })}
      {found.value !== undefined && <ExerciseCard key={seed} lesson={lesson} seed={seed} data={found.value} numbers={numbers} />}
      <nav class="lesson-ways" aria-label={text.title}>
        <Way place={place - 1} says={`← ${text.previous}`} seed={seed} />
        <Way place={place + 1} says={`${text.next} →`} seed={seed} />
      </nav>
    </Page>
  );
}

function Way({ place, says, seed }: { place: number; says: string; seed: number }) {
  const lesson = LESSONS[place];
  if (!lesson) return <span />;
  return (
    <a href={addressOf(lesson.name, seed)}>
      <span class="muted small">{says}</span> <strong>{lesson.words[language.value].title}</strong>
    </a>
  );
}
