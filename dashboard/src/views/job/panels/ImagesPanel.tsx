/** What a job's convolutions look for, and what each layer answers to one image, after any epoch. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { UnitMap } from "~/charts/Boundary";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { SelectField, TextField } from "~/elements/Field";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { integer, number } from "~/text/format";
import { panelsText } from "~/text/panels";
import { useEpochs } from "./epochs";
import { filtersOf, largestOf, mapsOf, type Grid } from "./maps";
import "./panels.css";

type Maps = Schema["FeatureMapsResource"];
type Filters = Schema["FiltersResource"];
const JSON_ONLY = { Accept: "application/json" };
/** Pictures that are drawn of a layer, at most. */
const MOST = 128;
const INPUT = "input";

export function ImagesPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const epochs = useEpochs(job);
  const [at, goTo] = useQuery("epoch", "last");
  const [row, setRow] = useQuery("row", "0");
  const [layer, setLayer] = useQuery("layer", "");
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const place = Math.max(0, Math.floor(Number(row)) || 0);
  const ask = (wanted: string, signal: AbortSignal) =>
    body(api.GET("/v1/jobs/{job_id}/feature_maps", { params: { path: { job_id: job.id }, query: { row: place, epoch: String(epoch), ...(wanted ? { layer: wanted } : {}) } }, headers: JSON_ONLY, signal })) as unknown as Promise<Maps>;
  const key = epoch === undefined ? null : `${job.id}:${epoch}`;
  const maps = useKept(useResource(key && `maps:${key}:${place}:${layer}`, (signal) => ask(layer, signal)), (value) => value.job_id === job.id);
  const image = useKept(useResource(key && `maps:${key}:${place}:${INPUT}`, (signal) => ask(INPUT, signal)), (value) => value.job_id === job.id);
  const shown = maps.value;
  const isConvolution = shown?.kind === "conv2d";
  const filters = useResource(key && shown && isConvolution ? `filters:${key}:${shown.layer}` : null, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/filters", { params: { path: { job_id: job.id }, query: { layer: shown!.layer, epoch: String(epoch) } }, headers: JSON_ONLY, signal })) as unknown as Promise<Filters>,
  );
  const step = (by: number) => setRow(String(Math.max(0, place + by)));
  return (
    <>
      <div class="panel-bar">{epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}</div>
      {epochs.value?.length === 0 && <Empty title={text.notYet} />}
      <div class="fields">
        <div class="row row-choice">
          <TextField label={text.imageRow} value={row} onChange={setRow} />
          <button type="button" class="small" disabled={place === 0} aria-label={text.imageBefore} onClick={() => step(-1)}>
            ←
          </button>
          <button type="button" class="small" aria-label={text.imageAfter} onClick={() => step(1)}>
            →
          </button>
        </div>
        {shown && <SelectField label={text.layer} value={shown.layer} onChange={setLayer} options={shown.layers.map((name) => ({ value: name, label: name === INPUT ? text.theImage : name }))} />}
      </div>
      <Loaded resource={maps}>
        {(value) => (
          <>
            <div class="image-and-filters">
              {image.value && (
                <Section title={text.theImage}>
                  <MapPictures found={image.value} label={text.theImage} />
                </Section>
              )}
              {isConvolution && filters.value && <FilterPictures found={filters.value} />}
            </div>
            {value.layer !== INPUT && (
              <Section title={text.mapsOf(value.layer, value.shape.slice(0, 2).join(" × "))}>
                <Told found={value} />
                <MapPictures found={value} label={value.layer} />
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

/** Formula, source and what colours mean. */
function Told({ found }: { found: Maps | Filters }) {
  const text = panelsText();
  return (
    <>
      {found.formula && <Formula latex={found.formula} isBlock />}
      {found.activation && <Formula latex={found.activation.formula} isBlock />}
      {found.source && <p class="muted small">{found.source}</p>}
      <p class="muted small">{text.mapsCaption(number(found.low, 3), number(found.high, 3))}</p>
    </>
  );
}

function Picture({ grid, label, largest, caption }: { grid: Grid; label: string; largest: number; caption: string }) {
  const flipped = useMemo(() => [...grid].reverse(), [grid]);
  return (
    <figure>
      <UnitMap label={label} grid={flipped} largest={largest} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

function MapPictures({ found, label }: { found: Maps; label: string }) {
  const text = panelsText();
  const count = found.shape[2] ?? 0;
  const grids = useMemo(() => mapsOf(found.maps as unknown[], Math.min(MOST, count)), [found]);
  const largest = largestOf(grids);
  return (
    <>
      <div class="unit-maps">
        {grids.map((grid, map) => (
          <Picture key={map} grid={grid} largest={largest} label={`${label}, ${text.map(integer(map + 1))}`} caption={integer(map + 1)} />
        ))}
      </div>
      {count > MOST && <p class="muted small">{text.firstOf(integer(MOST), integer(count))}</p>}
    </>
  );
}

function FilterPictures({ found }: { found: Filters }) {
  const text = panelsText();
  const [height = 1, width = 1, channels = 1, count = 1] = found.shape;
  const drawn = Math.max(1, Math.min(count, Math.floor(MOST / channels)));
  const filters = useMemo(() => filtersOf(found.weights as unknown[], channels, drawn), [found]);
  const largest = largestOf(filters.flat());
  return (
    <Section title={text.filtersOf(found.layer, `${height} × ${width}`)}>
      <p class="muted small">{text.filtersCaption(number(largest, 3))}</p>
      <div class="unit-maps">
        {filters.flatMap((grids, filter) =>
          grids.map((grid, channel) => {
            const read = found.reads?.[filter];
            if (read && !read.includes(channel)) return null;
            const name = channels > 1 ? `${integer(filter + 1)} · ${integer(channel + 1)}` : integer(filter + 1);
            return <Picture key={`${filter} ${channel}`} grid={grid} largest={largest} label={text.filterOf(integer(filter + 1), integer(channel + 1), number(Number(found.bias?.[filter] ?? 0), 3))} caption={name} />;
          }),
        )}
      </div>
      {drawn < count && <p class="muted small">{text.firstOf(integer(drawn), integer(count))}</p>}
    </Section>
  );
}
