/** A chart with its title and ways to keep it: as a picture and as numbers. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { save, toCsv, type Rows } from "~/charts/files";
import { pictureOf } from "~/charts/picture";
import { useAction } from "~/state/resource";
import { appText } from "~/text/app";
import { ProblemNotice } from "./Notice";

interface Props {
  title: string;
  /** The numbers of the chart, asked for when the reader keeps them. */
  rows?: () => Rows;
  /** In the place of `rows`: the file itself, where the API has more numbers than the chart shows. */
  file?: () => Promise<Blob>;
  /** Whether nothing is drawn that could be kept as a picture, as in a table. */
  isTable?: boolean;
  /** Controls beside the title. */
  actions?: ComponentChildren;
  caption?: ComponentChildren;
  children: ComponentChildren;
}

export function Figure({ title, rows, file, isTable = false, actions, caption, children }: Props) {
  const frame = useRef<HTMLElement>(null);
  const text = appText();
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  const savePicture = async () => {
    const picture = frame.current && (await pictureOf(frame.current));
    if (picture) save(`${name}.png`, picture);
  };
  const saveNumbers = useAction(async () => {
    const numbers = file ? await file() : rows && new Blob([toCsv(rows())], { type: "text/csv" });
    if (numbers) save(`${name}.csv`, numbers);
  });
  return (
    <figure ref={frame} class="figure">
      <header class="figure-head">
        <h3>{title}</h3>
        <div class="actions">
          {actions}
          {!isTable && (
            <button type="button" class="quiet small" onClick={savePicture} aria-label={text.savePngLong(title)}>
              {text.savePng}
            </button>
          )}
          {(rows || file) && (
            <button type="button" class="quiet small" disabled={saveNumbers.isBusy} onClick={() => saveNumbers.run()} aria-label={text.saveCsvLong(title)}>
              {text.saveCsv}
            </button>
          )}
        </div>
      </header>
      <ProblemNotice problem={saveNumbers.problem} />
      {children}
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  );
}
