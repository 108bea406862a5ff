/** A table of numbers, each at the crossing of a row and a column with names, in a frame that is scrolled where it is wide. */
import type { ComponentChildren, CSSProperties } from "preact";

interface Props {
  /** What the table has, for those who reach its frame by keyboard. */
  label: string;
  /** Stands above the names down the side. */
  corner: ComponentChildren;
  across: string[];
  down: string[];
  cell: (row: number, column: number) => ComponentChildren;
  /** The look of the whole table, and of a cell. */
  class?: string;
  look?: (row: number, column: number) => { class?: string; style?: CSSProperties; title?: string };
}

export function NumberTable({ label, corner, across, down, cell, class: name, look }: Props) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={label}>
      <table class={name}>
        <thead>
          <tr>
            <th scope="col">{corner}</th>
            {across.map((title, column) => (
              <th key={column} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {down.map((title, row) => (
            <tr key={row}>
              <th scope="row">{title}</th>
              {across.map((_, column) => {
                const { class: looks = "", ...more } = look?.(row, column) ?? {};
                return (
                  <td key={column} class={`number ${looks}`} {...more}>
                    {cell(row, column)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
