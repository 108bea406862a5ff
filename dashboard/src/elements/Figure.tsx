/** A chart with its title and ways to keep it: as a picture and as numbers. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { save, toCsv, type Rows } from "~/charts/files";
import { pictureOf } from "~/charts/picture";
import { appText } from "~/text/app";

interface Props {
  title: string;
  /** The numbers of the chart, asked for when the reader keeps them. */
  rows?: () => Rows;
  /** Controls beside the title. */
  actions?: ComponentChildren;
  caption?: ComponentChildren;
  children: ComponentChildren;
}

export function Figure({ title, rows, actions, caption, children }: Props) {
  const frame = useRef<HTMLElement>(null);
  const text = appText();
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  const savePicture = async () => {
    const picture = frame.current && (await pictureOf(frame.current));
    if (picture) save(`${name}.png`, picture);
  };
  return (
    <figure ref={frame} class="figure">
      <header class="figure-head">
        <h3>{title}</h3>
        <div class="actions">
          {actions}
          <button type="button" class="quiet small" onClick={savePicture} aria-label={text.savePngLong(title)}>
            {text.savePng}
          </button>
          {rows && (
            <button type="button" class="quiet small" onClick={() => save(`${name}.csv`, new Blob([toCsv(rows())], { type: "text/csv" }))} aria-label={text.saveCsvLong(title)}>
              {text.saveCsv}
            </button>
          )}
        </div>
      </header>
      {children}
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  );
}
