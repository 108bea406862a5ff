/** A confusion matrix as a table: true classes down, predicted across, shaded by each cell's share of its row. */
import { NumberTable } from "~/elements/NumberTable";
import { integer, percent } from "~/text/format";
import { panelsText } from "~/text/panels";

interface Props {
  classes: string[];
  matrix: number[][];
  /** Where the rows of a cell are listed. */
  address?: (truth: string, predicted: string) => string;
}

export function Confusion({ classes, matrix, address }: Props) {
  const text = panelsText();
  const corner = (
    <span class="visually-hidden">
      {text.trueClass} \ {text.predictedClass}
    </span>
  );
  const countAt = (row: number, column: number) => matrix[row]?.[column] ?? 0;
  const totals = matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const shareAt = (row: number, column: number) => (totals[row] ? countAt(row, column) / totals[row] : 0);
  const described = (row: number, column: number) => text.share(integer(countAt(row, column)), percent(shareAt(row, column), 1), classes[row]!, classes[column]!);
  return (
    <NumberTable
      label={text.confusion}
      class="confusion"
      corner={corner}
      across={classes}
      down={classes}
      look={(row, column) => ({ class: row === column ? "right" : "wrong", style: { "--share": String(shareAt(row, column)) }, title: described(row, column) })}
      cell={(row, column) => {
        const count = integer(countAt(row, column));
        if (!address || !countAt(row, column)) return count;
        return (
          <a href={address(classes[row]!, classes[column]!)} aria-label={described(row, column)}>
            {count}
          </a>
        );
      }}
    />
  );
}
