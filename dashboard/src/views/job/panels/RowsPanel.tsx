/** Rows with what a job's weights answer to them, the hardest first: where in the data it fails. */
import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Choice, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded, Notice } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { Pages } from "~/elements/Pages";
import { useQuery, withQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { integer, number } from "~/text/format";
import { panelsText } from "~/text/panels";
import { rowsText } from "~/text/rows";
import { useEpochs } from "./epochs";
import { hasConvolution } from "./maps";
import { RowDialog } from "./RowDialog";
import { RowPicture, sheetOf } from "./RowPicture";
import { pictured, Pictures, Table } from "./RowsShown";
import { imagesRead, ONLY, queryOf, SORTS, sortsOf, splitsOf, type Asked, type Images, type Split } from "./rows";
import "./panels.css";

type Found = Schema["SplitPredictions"];
/** Rows of a page. */
const PAGE = 30;
/** Rows that a file has at most, which is what the API gives at once. */
const MOST_ROWS = 1000;

/** The choice that the address names, where it is one. */
const oneOf = <T extends string>(all: readonly T[], named: string): T => (all.includes(named as T) ? (named as T) : (all[0] as T));

export function RowsPanel({ job }: { job: Schema["JobResource"] }) {
  const panels = panelsText();
  const text = rowsText();
  const request = completed(job);
  const isClustering = request.task === "clustering";
  const { splits, usual } = splitsOf(request);
  const epochs = useEpochs(job);
  const [namedSplit, setSplit] = useQuery("split", usual);
  const [at, goTo] = useQuery("epoch", "last");
  const [sort, setSort] = useQuery("sort", SORTS[0]);
  const [only, setOnly] = useQuery("only", ONLY[0]);
  const [truth, setTruth] = useQuery("true");
  const [predicted, setPredicted] = useQuery("predicted");
  const [first, setFirst] = useQuery("offset", "0");
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const split = (splits as string[]).includes(namedSplit) ? (namedSplit as Split) : usual;
  const offset = Math.max(0, Math.floor(Number(first)) || 0);
  const asked = epoch === undefined ? null : ({ split, epoch, sort: oneOf(SORTS, sort), only: oneOf(ONLY, only), truth, predicted } satisfies Asked);
  const query = asked && queryOf(asked, { limit: PAGE, offset });
  const answer = useResource(query && `predictions:${job.id}:${JSON.stringify(query)}`, async (signal) => {
    const found = body(api.GET("/v1/jobs/{job_id}/predictions", { params: { path: { job_id: job.id }, query: query! }, headers: { Accept: "application/json" }, signal, parseAs: "json" }));
    return (await found) as Found;
  });
  const found = useKept(answer, (value) => value.job_id === job.id && value.split === split);
  const images = useResource(`images:${job.dataset_id}`, async (signal) => {
    const listed = await body(api.GET("/v1/datasets/{dataset_id}/images", { params: { path: { dataset_id: job.dataset_id } }, headers: { Accept: "application/json" }, signal }));
    return (listed as Schema["Listing_ImagesResource_"]).items;
  });
  const changing = (set: (value: string) => void) => (value: string) => {
    set(value);
    setFirst("0");
  };
  const classes = Array.isArray(found.value?.classes) ? found.value.classes.map(String) : [];
  const clusters = isClustering ? (found.value?.items[0]?.distances ?? []).map((_, cluster) => String(cluster)) : [];
  const options = (names: string[], chosen: string) => [...new Set(["", ...names, chosen])].map((value) => ({ value, label: value || text.anyClass }));
  const isJudged = request.task === "classification" || request.task === "tagging";
  const sorts = found.value ? sortsOf(found.value.formulas) : [];
  return (
    <>
      <div class="panel-bar">
        <Choice label={panels.split} value={split} onChange={changing(setSplit)} options={splits.map((name) => ({ value: name, label: panels.splits[name] }))} />
        {isJudged && <Choice label={text.only} value={only} onChange={changing(setOnly)} options={ONLY.map((value) => ({ value, label: text.onlys[value] }))} />}
        {epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}
      </div>
      {epochs.value?.length === 0 && <Empty title={panels.notYet} />}
      {epoch !== undefined && (
        <div class="fields">
          <SelectField label={text.sort} value={sort} onChange={changing(setSort)} options={SORTS.filter((value) => value === sort || sorts.includes(value)).map((value) => ({ value, label: text.sorts[value] }))} />
          {classes.length > 0 && <SelectField label={text.trueClass} value={truth} onChange={changing(setTruth)} options={options(classes, truth)} />}
          {(classes.length > 0 || clusters.length > 0 || predicted) && (
            <SelectField label={isClustering ? panels.clusterColumn : text.predictedClass} value={predicted} onChange={changing(setPredicted)} options={options(isClustering ? clusters : classes, predicted)} />
          )}
        </div>
      )}
      <Loaded resource={found}>
        {(value) => asked && query && <Listed key={value.epoch} job={job} found={value} asked={asked} query={query} images={imagesRead(images.value ?? [], request.features)} onFirst={(next) => setFirst(String(next))} />}
      </Loaded>
    </>
  );
}

interface ListedProps {
  job: Schema["JobResource"];
  found: Found;
  asked: Asked;
  query: ReturnType<typeof queryOf>;
  images: Images | undefined;
  onFirst: (first: number) => void;
}

function Listed({ job, found, asked, query, images, onFirst }: ListedProps) {
  const text = rowsText();
  const { url } = useLocation();
  const [show, setShow] = useQuery("show", "pictures");
  const [opened, setOpened] = useState<number | null>(null);
  const title = text.title(panelsText().splits[found.split], integer(found.epoch));
  const sheet = images && found.items.length > 0 ? sheetOf(job.id, images, found.items.length, { ...query, offset: found.offset }) : undefined;
  const file = () => body(api.GET("/v1/jobs/{job_id}/predictions", { params: { path: { job_id: job.id }, query: queryOf(asked, { limit: MOST_ROWS, offset: 0 }) }, headers: { Accept: "text/csv" }, parseAs: "blob" })) as unknown as Promise<Blob>;
  const caption = `${text.found(integer(found.total), integer(found.rows))} · ${text.meanLoss(number(found.mean_loss))}`;
  const item = opened === null ? undefined : found.items[opened];
  const isPictures = sheet !== undefined && show === "pictures";
  if (found.total === 0) {
    return (
      <Empty title={text.none}>
        <p>{text.noneLead}</p>
        <a class="button" href={withQuery(url, { only: null, true: null, predicted: null, offset: null })}>
          {text.everything}
        </a>
      </Empty>
    );
  }
  return (
    <>
      {found.warnings?.map(({ code, detail }) => <Notice key={code}>{detail}</Notice>)}
      <Figure title={title} caption={isPictures ? `${caption} · ${found.items[0]?.target === null ? text.underClusters : text.under}` : caption} file={file} isTable actions={sheet && <Choice label={text.show} value={show} onChange={setShow} options={(["pictures", "table"] as const).map((value) => ({ value, label: text.shows[value] }))} />}>
        {isPictures ? <Pictures items={found.items} sheet={sheet} onOpen={setOpened} /> : <Table found={found} sheet={sheet} onOpen={setOpened} />}
      </Figure>
      <Pages first={found.offset} size={PAGE} total={found.total} onFirst={onFirst} base={1} />
      {item && (
        <RowDialog
          job={job}
          row={item.row}
          query={{ ...query, limit: 1, offset: found.offset + (opened ?? 0) }}
          picture={sheet && <RowPicture sheet={sheet} place={opened ?? 0} label={pictured(item)} />}
          pixels={images?.name}
          hasMaps={hasConvolution(completed(job).model)}
          onClose={() => setOpened(null)}
        />
      )}
    </>
  );
}
