/** The images of a dataset on contact sheets; one that is chosen is shown large, with the rest of its row. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Dialog } from "~/elements/Dialog";
import { SelectField, TextField } from "~/elements/Field";
import { Loaded, Notice } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { Pages } from "~/elements/Pages";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number } from "~/text/format";
import type { Dataset, TabProps } from "./index";
import { rowsOf } from "./rows";

type Images = Schema["ImagesResource"];
/** Transparent pixels between the images of a sheet, as the API draws them. */
const GAP = 2;
const SHEET_PIXELS = 900;
const MOST_IMAGES = 120;
const MOST_PIXELS = 2_000_000;
const LARGE_PIXELS = 320;

export function ImagesTab({ dataset }: TabProps) {
  const text = datasetText();
  const kinds = dataset.columns.map((column) => column.kind).join();
  const [name, setName] = useQuery("images");
  const [size, setSize] = useQuery("size");
  const known = useResource(`images ${dataset.id} ${kinds}`, async (signal) => {
    const found = await body(api.GET("/v1/datasets/{dataset_id}/images", { params: { path: { dataset_id: dataset.id } }, headers: { Accept: "application/json" }, signal }));
    return (found as Schema["Listing_ImagesResource_"]).items;
  });
  return (
    <Loaded resource={known}>
      {(items) => {
        const chosen = items.find((images) => images.name === name) ?? items[0];
        if (size) return <Sheets key={`${name} ${size}`} dataset={dataset} images={sized(name, size)} size={size} onLeave={() => setSize("")} />;
        if (!chosen) return <AskSize dataset={dataset} onShow={(column, wanted) => { setName(column); setSize(wanted); }} />;
        return (
          <>
            {items.length > 1 && (
              <div class="fields">
                <SelectField label={text.imagesOf} value={chosen.name} onChange={setName} options={items.map((images) => ({ value: images.name, label: images.name }))} />
              </div>
            )}
            <Sheets key={chosen.name} dataset={dataset} images={chosen} />
          </>
        );
      }}
    </Loaded>
  );
}

function sized(name: string, size: string): Images {
  const [width = 1, height = 1] = size.split("x").map(Number);
  return { name, width, height, channels: 1, low: 0, high: 1 };
}

function AskSize({ dataset, onShow }: { dataset: Dataset; onShow: (column: string, size: string) => void }) {
  const text = datasetText();
  const vectors = dataset.columns.filter((column) => column.kind === "vector").map((column) => column.name);
  const [column, setColumn] = useState(vectors[0] ?? "");
  const [size, setSize] = useState("28x28");
  return (
    <Empty title={text.noImagesTitle}>
      <p>{text.noImages}</p>
      <form
        class="row jump ask-size"
        onSubmit={(event) => {
          event.preventDefault();
          onShow(column, size.replace(/\s|×/g, (mark) => (mark === "×" ? "x" : "")));
        }}
      >
        <TextField label={text.imageColumn} value={column} onChange={setColumn} />
        <TextField label={text.imageSize} value={size} onChange={setSize} />
        <button type="submit" disabled={!column || !/^\d+\s*[x×]\s*\d+$/.test(size)}>
          {text.show}
        </button>
      </form>
      <p class="small">{text.imageSizeHelp}</p>
    </Empty>
  );
}

interface SheetsProps {
  dataset: Dataset;
  images: Images;
  size?: string;
  onLeave?: () => void;
}

function Sheets({ dataset, images, size, onLeave }: SheetsProps) {
  const text = datasetText();
  const labels = dataset.columns.filter((column) => !column.shape && column.kind !== "text" && !column.name.startsWith(images.name)).map((column) => column.name);
  const [label, setLabel] = useQuery("label", labels[0] ?? "");
  const [row, setRow] = useQuery("row", "0");
  const [zoom, setZoom] = useQuery("zoom", String(Math.max(1, Math.min(6, Math.floor(84 / images.width)))));
  const [shown, setShown] = useState<number | null>(null);
  const [hasFailed, setHasFailed] = useState(false);
  const scale = Math.max(1, Math.min(16, Number(zoom) || 1));
  const width = images.width * scale;
  const height = images.height * scale;
  const available = Math.min(SHEET_PIXELS, document.documentElement.clientWidth - 40);
  const columns = Math.max(1, Math.min(40, Math.floor((available + GAP) / (width + GAP))));
  const fitting = Math.max(1, Math.min(MOST_IMAGES, Math.floor(MOST_PIXELS / (width * height))));
  const limit = Math.max(1, Math.floor(fitting / columns)) * (fitting < columns ? fitting : columns);
  const offset = Math.max(0, Math.min(Number(row) || 0, dataset.rows - 1));
  const count = Math.min(limit, dataset.rows - offset);
  const cells = useResource(labels.includes(label) ? `labels ${dataset.id} ${offset} ${limit} ${label}` : null, (signal) =>
    rowsOf(dataset.id, { offset, limit, columns: [label] }, signal),
  );
  const asked = { column: images.name, ...(size ? { size } : {}) };
  const address = `/v1/datasets/${dataset.id}/images?${new URLSearchParams({ ...asked, offset: String(offset), limit: String(limit), columns: String(columns), scale: String(scale) })}`;
  const told = (place: number) => {
    const value = cells.value?.rows[place]?.[0];
    return `${text.row} ${integer(offset + place)}${value === undefined || value === null ? "" : `, ${label}: ${typeof value === "number" ? number(value) : String(value)}`}`;
  };
  return (
    <>
      <div class="fields">
        <SelectField label={text.scale} value={String(scale)} onChange={setZoom} options={[...new Set([1, 2, 3, 4, 6, 8, scale])].sort((one, other) => one - other).map((each) => ({ value: String(each), label: `${each} ×` }))} />
        {labels.length > 0 && <SelectField label={text.label} value={label} onChange={setLabel} options={labels.map((each) => ({ value: each, label: each }))} />}
      </div>
      {onLeave && (
        <p>
          <button type="button" class="quiet small" onClick={onLeave}>
            ✕ {size}
          </button>
        </p>
      )}
      {hasFailed ? (
        <Problem address={address} />
      ) : (
        <div class="sheet">
          <img src={address} alt={text.sheet(integer(offset), integer(offset + count - 1))} onError={() => setHasFailed(true)} />
          <div class="tiles" style={{ gridTemplateColumns: `repeat(${columns}, ${width}px)`, gap: `${GAP}px` }}>
            {Array.from({ length: count }, (_, place) => (
              <button key={place} type="button" style={{ width: `${width}px`, height: `${height}px` }} title={told(place)} aria-label={told(place)} onClick={() => setShown(offset + place)} />
            ))}
          </div>
        </div>
      )}
      <Pages first={offset} size={limit} total={dataset.rows} onFirst={(value) => { setHasFailed(false); setRow(String(value)); }} />
      {shown !== null && <Large dataset={dataset} images={images} asked={asked} row={shown} onClose={() => setShown(null)} />}
    </>
  );
}

/** Why a sheet was not drawn: asked for again, since an image tells nothing. */
function Problem({ address }: { address: string }) {
  const why = useResource(`why ${address}`, async (signal) => {
    const response = await fetch(address, { credentials: "same-origin", signal });
    return response.ok ? "" : (((await response.json()) as { detail?: string }).detail ?? "");
  });
  return <Notice kind="error">{why.value ?? why.problem?.detail}</Notice>;
}

interface LargeProps {
  dataset: Dataset;
  images: Images;
  asked: Record<string, string>;
  row: number;
  onClose: () => void;
}

function Large({ dataset, images, asked, row, onClose }: LargeProps) {
  const text = datasetText();
  const names = dataset.columns.filter((column) => !column.shape && !column.name.startsWith(images.name)).map((column) => column.name).slice(0, 40);
  const cells = useResource(names.length ? `row ${dataset.id} ${row}` : null, (signal) =>
    rowsOf(dataset.id, { offset: row, limit: 1, columns: names }, signal),
  );
  const scale = Math.max(1, Math.min(32, Math.floor(LARGE_PIXELS / Math.max(images.width, images.height))));
  const address = `/v1/datasets/${dataset.id}/images/${row}?${new URLSearchParams({ ...asked, scale: String(scale) })}`;
  return (
    <Dialog title={text.imageOf(integer(row))} onClose={onClose}>
      <img class="large-image" src={address} alt={text.imageOf(integer(row))} />
      {cells.value && (
        <dl class="facts">
          {names.flatMap((name, place) => {
            const value = cells.value?.rows[0]?.[place] as unknown;
            return [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value === null ? text.missingCell : typeof value === "number" ? number(value, 6) : String(value)}</dd>];
          })}
        </dl>
      )}
    </Dialog>
  );
}
