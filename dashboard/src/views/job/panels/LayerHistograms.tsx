/** Each layer's histogram at an epoch, with that of another one behind it, in bins that are common to all epochs. */
import { api, body, type Schema } from "~/api/client";
import { Histogram } from "~/charts/Histogram";
import { Figure } from "~/elements/Figure";
import { useResource } from "~/state/resource";
import { integer, number } from "~/text/format";
import { layersText } from "~/text/layers";
import { countsAt, rangeOf, type Found, type Kind } from "./layers";

interface Props {
  job: Schema["JobResource"];
  found: Found;
  kind: Kind;
  epoch: number;
  outline: number;
  /** Whether the axis is the same at every epoch. */
  isStill: boolean;
}

export function LayerHistograms({ job, found, kind, epoch, outline, isStill }: Props) {
  const text = layersText();
  const place = found.epochs.indexOf(epoch);
  const behind = found.epochs.indexOf(outline);
  const isOwn = found.layers.some((layer) => !countsAt(layer, place));
  // An earlier version kept each epoch in bins of its own.
  const own = useResource(isOwn ? `histograms:${job.id}:${epoch}:${kind}` : null, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/histograms", { params: { path: { job_id: job.id }, query: { epoch, of: kind } }, signal })),
  );
  const shown = found.layers.flatMap((layer) => {
    const kept = own.value?.items[0]?.layers.find((entry) => entry.layer === layer.layer);
    const counts = countsAt(layer, place) ?? (kept && { edges: kept.edges, counts: kept.counts });
    return counts ? [{ layer, counts }] : [];
  });
  const rows = () => ({
    columns: ["epoch", "layer", "of", "from", "to", "count"],
    rows: shown.flatMap(({ layer, counts }) => counts.counts.map((count, bin) => [epoch, layer.layer, kind, counts.edges[bin] as number, counts.edges[bin + 1] as number, count])),
  });
  const caption = `${text.caption(integer(epoch), text.compared(integer(outline)))}${isOwn ? ` ${text.ownBins}` : ""}`;
  return (
    <Figure title={text.kinds[kind]} caption={caption} rows={rows}>
      <div class="small-multiples">
        {shown.map(({ layer, counts }) => (
          <div key={layer.layer}>
            <h4>{layer.layer}</h4>
            <Histogram
              label={`${text.kinds[kind]}, ${layer.layer}`}
              edges={counts.edges}
              counts={counts.counts}
              behind={countsAt(layer, behind)}
              range={isStill ? rangeOf(layer.min, layer.max) : rangeOf(layer.min.slice(place, place + 1), layer.max.slice(place, place + 1))}
              height={96}
            />
            <p class="reading">{text.reading(number(layer.mean[place], 3), number(layer.std[place], 3))}</p>
          </div>
        ))}
      </div>
    </Figure>
  );
}
