/** Two columns beside each other: correlation, both regression lines, and what each row does to them. */
import { useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { Relation } from "~/charts/Relation";
import { equation, mostMoving, ofRow, type LineName, type RelationOf } from "~/charts/relation";
import { Scatter } from "~/charts/Scatter";
import { Choice, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number } from "~/text/format";
import { relationText } from "~/text/relation";
import { isNumeric, type TabProps } from "./index";

const LISTED = 10;
const LINES = ["y_on_x", "x_on_y"] as const;
const NUMBERS = ["residual", "leverage", "distance"] as const;

export function RelationTab({ dataset }: TabProps) {
  const words = datasetText();
  const text = relationText();
  const names = dataset.columns.filter((column) => isNumeric(column) && column.role !== "index").map((column) => column.name);
  const [wantedX, setX] = useQuery("x", names[0] ?? "");
  const [wantedY, setY] = useQuery("y", names[1] ?? "");
  const x = names.includes(wantedX) ? wantedX : (names[0] ?? "");
  const y = names.includes(wantedY) && wantedY !== x ? wantedY : (names.find((name) => name !== x) ?? "");
  const kinds = dataset.columns.map((column) => column.kind).join();
  const found = useResource(y && `relation ${dataset.id} ${kinds} ${x}\n${y}`, (signal) => body(api.GET("/v1/datasets/{dataset_id}/relation", { params: { path: { dataset_id: dataset.id }, query: { x, y } }, signal })));
  if (names.length < 2) return <Empty title={words.noNumbersTitle}>{words.noNumbers}</Empty>;
  const options = (other: string) => names.filter((name) => name !== other).map((name) => ({ value: name, label: name }));
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="fields">
        <SelectField label={words.x} value={x} onChange={setX} options={options(y)} />
        <SelectField label={words.y} value={y} onChange={setY} options={options(x)} />
      </div>
      <Loaded resource={found}>{(relation) => <Shown relation={relation} />}</Loaded>
    </>
  );
}

function Shown({ relation }: { relation: RelationOf }) {
  const text = relationText();
  const [wanted, setWanted] = useState<LineName>("y_on_x");
  const name = relation[wanted] ? wanted : (LINES.find((line) => relation[line]) ?? wanted);
  const rows = relation.points.rows.map((_, place) => ofRow(relation, name, place));
  const numbers = () => ({
    columns: ["row", relation.x.column, relation.y.column, "residual", "leverage", "distance"],
    rows: rows.map(({ row, x, y, residual, leverage, distance }) => [row, x, y, residual, leverage, distance]),
  });
  const { left_out } = relation.points;
  return (
    <div class="stack">
      {relation.warnings.map(({ code, detail }) => (
        <Notice key={code} kind="warning">
          {detail}
        </Notice>
      ))}
      <Facts relation={relation} />
      <Choice
        label={text.line}
        value={name}
        onChange={setWanted}
        options={LINES.filter((line) => relation[line]).map((line) => ({ value: line, label: text.lines[line](relation.y.column, relation.x.column) }))}
      />
      <div class="bench even">
        <Figure title={text.title(relation.y.column, relation.x.column)} caption={[text.caption, left_out > 0 && text.leftOut(integer(left_out))].filter(Boolean).join(" ")} rows={numbers}>
          <Relation relation={relation} residualsOf={name} />
        </Figure>
        {relation[name] && <ByRow relation={relation} name={name} numbers={numbers} />}
      </div>
      {relation[name] && <Moving relation={relation} name={name} />}
      <details class="section">
        <summary>{text.formulas}</summary>
        {Object.entries(relation.formulas).map(([key, { formula, source }]) => (
          <div key={key}>
            <Formula latex={formula} isBlock />
            {source && <p class="muted small">{source}</p>}
          </div>
        ))}
      </details>
    </div>
  );
}

/** The numbers that both columns have together. */
function Facts({ relation }: { relation: RelationOf }) {
  const text = relationText();
  const { y_on_x, x_on_y, rho, rows, missing } = relation;
  return (
    <>
      <dl class="tiles">
        <div>
          <dt>{text.rho}</dt>
          <dd>{number(rho)}</dd>
        </div>
        <div>
          <dt>{text.r2}</dt>
          <dd>{number((y_on_x ?? x_on_y)?.r2)}</dd>
        </div>
        <div>
          <dt>{text.rows}</dt>
          <dd>
            {integer(rows)} {missing > 0 && <small class="muted">{text.missing(integer(missing))}</small>}
          </dd>
        </div>
      </dl>
      <dl class="facts">
        {LINES.map((name) => {
          const line = relation[name];
          return (
            line && (
              <>
                <dt>{text.lines[name](relation.y.column, relation.x.column)}</dt>
                <dd>
                  <strong>{equation(line)}</strong> <span class="muted">{`${text.residualStd}: ${number(line.residual_std)}`}</span>
                </dd>
              </>
            )
          );
        })}
      </dl>
    </>
  );
}

interface OfLine {
  relation: RelationOf;
  name: LineName;
}

/** One number of every row, along the column that the line goes by. */
function ByRow({ relation, name, numbers }: OfLine & { numbers: () => { columns: string[]; rows: (number | null)[][] } }) {
  const text = relationText();
  const [shown, setShown] = useState<(typeof NUMBERS)[number]>("residual");
  const rows = relation.points.rows.map((_, place) => ofRow(relation, name, place)).filter((row) => row[shown] !== null);
  const by = name === "y_on_x" ? relation.x.column : relation.y.column;
  const title = text.of[shown];
  return (
    <Figure title={text.byRow} caption={text.captions[shown]} rows={numbers} actions={<Choice label={text.numbers} value={shown} onChange={setShown} options={NUMBERS.map((value) => ({ value, label: text.of[value] }))} />}>
      <Scatter
        label={title}
        groups={[{ name: title, x: rows.map((row) => (name === "y_on_x" ? row.x : row.y)), y: rows.map((row) => row[shown] as number), notes: rows.map(({ row }) => `${text.row} ${integer(row)}`) }]}
        xLabel={by}
        yLabel={title}
        height={400}
      />
    </Figure>
  );
}

function Moving({ relation, name }: OfLine) {
  const text = relationText();
  return (
    <Section title={text.moving}>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.moving}>
        <table>
          <thead>
            <tr>
              {[text.row, relation.x.column, relation.y.column, text.residual, text.leverage, text.distance].map((head) => (
                <th key={head} class="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {mostMoving(relation, name, LISTED).map(({ row, x, y, residual, leverage, distance }) => (
              <tr key={row}>
                <td class="number">{integer(row)}</td>
                <td class="number">{number(x)}</td>
                <td class="number">{number(y)}</td>
                <td class="number">{number(residual)}</td>
                <td class="number">{number(leverage, 3)}</td>
                <td class="number">{distance === null && leverage > 0.99 ? text.noDistance : number(distance, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
