/** The average answer as one feature takes each of its values in turn. */
import { api, body, type Schema } from "~/api/client";
import { Paths } from "~/charts/Paths";
import { extent } from "~/charts/Scatter";
import { SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { integer, toNumber } from "~/text/format";
import { whyText } from "~/text/why";
import type { PartProps } from "./index";

export function Dependence({ model }: PartProps) {
  const text = whyText();
  const inputs = model.inputs.filter(({ shape }) => !shape).map(({ name }) => name);
  const [wanted, setWanted] = useQuery("feature", inputs[0] ?? "");
  const feature = inputs.includes(wanted) ? wanted : inputs[0];
  const found = useResource(feature ? `dependence:${model.id}:${feature}` : null, (signal) =>
    body(api.GET("/v1/models/{model_id}/dependence", { params: { path: { model_id: model.id }, query: { feature: feature! } }, signal })),
  );
  if (!feature) return <p class="muted">{text.noFeature}</p>;
  return (
    <>
      <div class="fields">
        <SelectField label={text.feature} value={feature} onChange={setWanted} options={inputs.map((name) => ({ value: name, label: name }))} />
      </div>
      <Loaded resource={found}>{(dependence) => <Shown dependence={dependence} />}</Loaded>
    </>
  );
}

function Shown({ dependence }: { dependence: Schema["DependenceResource"] }) {
  const text = whyText();
  const { feature, values, averages, of } = dependence;
  const names = values.every((value) => typeof value === "number") ? undefined : values.map(String);
  const x = values.map((value, place) => (names ? place : Number(value)));
  const paths = Object.entries(averages).map(([name, all]) => ({ name, x, y: all.map(toNumber) }));
  const isShare = of === "probability" || of === "share";
  const title = text.dependence(feature);
  return (
    <Figure
      title={title}
      caption={`${text.overRows(integer(dependence.rows), integer(dependence.of_rows), text.splitNames[dependence.split])} ${text.unreal}`}
      rows={() => ({ columns: [feature, ...paths.map(({ name }) => name)], rows: values.map((value, place) => [value as string | number, ...paths.map(({ y }) => y[place]!)]) })}
    >
      <Paths
        label={title}
        paths={paths}
        xLabel={feature}
        yLabel={text.of[of]}
        xRange={names ? [-0.5, names.length - 0.5] : [x[0]!, x[x.length - 1]!]}
        yRange={isShare ? [0, 1] : extent(paths.map(({ y }) => y))}
        xNames={names}
        height={340}
      />
      <Formula latex={dependence.formula} isBlock />
      <p class="muted small">{dependence.source}</p>
    </Figure>
  );
}
