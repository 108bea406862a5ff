/** A confusion matrix as a table: true classes down, predicted across, shaded by each cell's share of its row. */
import { integer, percent } from "~/text/format";
import { panelsText } from "~/text/panels";

interface Props {
  classes: string[];
  matrix: number[][];
}

export function Confusion({ classes, matrix }: Props) {
  const text = panelsText();
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={text.confusion}>
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">
                {text.trueClass} \ {text.predictedClass}
              </span>
            </th>
            {classes.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.map((row, index) => {
            const total = row.reduce((sum, count) => sum + count, 0);
            const truth = classes[index] as string;
            return (
              <tr key={truth}>
                <th scope="row">{truth}</th>
                {row.map((count, across) => {
                  const share = total ? count / total : 0;
                  const described = text.share(integer(count), percent(share, 1), truth, classes[across] as string);
                  return (
                    <td key={across} class={`number ${across === index ? "right" : "wrong"}`} style={{ "--share": String(share) }} title={described}>
                      {integer(count)}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
