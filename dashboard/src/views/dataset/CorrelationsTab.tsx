/** Which columns go together: a heat map of every pair, or of what goes most with one; a pair leads to its points. */
import { useLocation } from "preact-iso";
import { api, body } from "~/api/client";
import { strongest } from "~/charts/cells";
import { HeatMap } from "~/charts/HeatMap";
import { SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { useQuery, withQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number } from "~/text/format";
import { isNumeric, type TabProps } from "./index";

/** Columns of which every pair can be told apart in a picture. */
const MOST_AT_ONCE = 80;
const LISTED = 12;

export function CorrelationsTab({ dataset }: TabProps) {
  const text = datasetText();
  const { url, route } = useLocation();
  const names = dataset.columns.filter((column) => isNumeric(column) && column.role !== "index").map((column) => column.name);
  const isWide = names.length > MOST_AT_ONCE;
  const [target, setTarget] = useQuery("target", isWide ? (names[0] ?? "") : "");
  const columns = isWide ? undefined : JSON.stringify(names);
  const key = names.length > 1 ? `correlations ${dataset.id} ${names.length} ${target}` : null;
  const found = useResource(key, (signal) =>
    body(api.GET("/v1/datasets/{dataset_id}/correlations", { params: { path: { dataset_id: dataset.id }, query: target ? { target, columns, limit: 40 } : { columns } }, signal })),
  );
  if (names.length < 2) return <Empty title={text.noNumbersTitle}>{text.noNumbers}</Empty>;
  const points = (x: string, y: string) => withQuery(url, { tab: "scatter", x, y, target: null });
  return (
    <>
      <p class="muted">{text.correlationsHelp}</p>
      {isWide && <p class="muted">{text.tooMany}</p>}
      <div class="fields">
        <SelectField label={text.target} value={target} onChange={setTarget} options={[...(isWide ? [] : [{ value: "", label: text.everyPair }]), ...names.map((name) => ({ value: name, label: name }))]} />
      </div>
      <Loaded resource={found}>
        {({ columns: shown, matrix, left_out }) => (
          <div class="columns two">
            <Figure
              title={text.correlationsTitle}
              caption={left_out > 0 && text.leftOut(integer(left_out))}
              rows={() => ({ columns: [text.column, ...shown], rows: shown.map((name, place) => [name, ...(matrix[place] as (number | null)[])]) })}
            >
              <HeatMap label={text.correlationsTitle} names={shown} matrix={matrix as (number | null)[][]} onChoose={(row, column) => row !== column && route(points(column, row))} />
            </Figure>
            <div>
              <h3>{text.strongest}</h3>
              <ol class="strongest">
                {strongest(shown, matrix as (number | null)[][])
                  .slice(0, LISTED)
                  .map(([one, other, rho]) => (
                    <li key={`${one} ${other}`}>
                      <a href={points(one, other)}>
                        {one} × {other}
                      </a>
                      <span class="number">{number(rho, 3)}</span>
                    </li>
                  ))}
              </ol>
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}
