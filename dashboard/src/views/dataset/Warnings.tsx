/** What is worth a look in a dataset, each with a button that does what it advises, or leads to where it is done. */
import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { tell } from "~/elements/Toasts";
import { withQuery } from "~/state/address";
import { useAction } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer } from "~/text/format";
import type { Column, TabProps } from "./index";

type Warning = Schema["Notice"];

const FEW = 3;
/** Warnings of how a file was read; others are of what is in the table. */
const OF_READING = new Set([
  "READ_AS", "ONE_COLUMN", "QUOTES", "HEADER_ROWS", "LINES_LEFT_OUT", "TOTAL_ROW", "UNNAMED_COLUMN", "REPEATED_NAME", "EMPTY_COLUMN", "ENCODING",
  "ALMOST_NUMBERS", "MIXED_NUMBERS", "LEADING_ZEROS", "LARGE_NUMBERS", "SPACES", "ACCENTS", "OTHER_SHEETS", "NUMBERS_AS_WORDS", "CORRECTION_LEFT_OUT",
]);
const OF_TRAINING = new Set(["MISSING_VALUES", "CONSTANT_COLUMN", "ID_LIKE", "DUPLICATE_COLUMN", "MANY_CATEGORIES", "SCALES_DIFFER"]);

export function Warnings({ dataset, onChange }: TabProps) {
  const text = datasetText();
  const [isWhole, setIsWhole] = useState(false);
  const apply = useAction(async (remedy: object) => {
    onChange(await body(api.PATCH("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } }, body: remedy })));
    tell(text.applied);
  });
  const { warnings } = dataset;
  if (warnings.length === 0) return null;
  return (
    <Section
      class="warnings"
      title={text.warnings(integer(warnings.length))}
      actions={
        warnings.length > FEW && (
          <button type="button" class="quiet small" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
            {text.showAll(integer(warnings.length))}
          </button>
        )
      }
    >
      <ProblemNotice problem={apply.problem} />
      {(isWhole ? warnings : warnings.slice(0, FEW)).map((warning, place) => (
        <Notice key={`${warning.code} ${place}`} kind="warning" actions={<Advised {...{ dataset, warning, isBusy: apply.isBusy }} onApply={(remedy) => void apply.run(remedy)} />}>
          <p>
            <code title={warning.code}>{warning.code}</code> {warning.detail}
          </p>
        </Notice>
      ))}
    </Section>
  );
}

interface AdvisedProps {
  dataset: TabProps["dataset"];
  warning: Warning;
  isBusy: boolean;
  onApply: (remedy: object) => void;
}

function Advised({ dataset, warning, isBusy, onApply }: AdvisedProps) {
  const text = datasetText();
  const { url } = useLocation();
  const remedy = warning.remedy as { read?: Record<string, unknown>; columns?: { name: string; kind: Column["kind"] }[] } | null | undefined;
  if (remedy) {
    const label = remedy.columns ? text.remedies.kind(text.kinds[remedy.columns[0]?.kind ?? "text"]) : text.remedies.read(shown(remedy.read ?? {}));
    return (
      <button type="button" class="small" disabled={isBusy} onClick={() => onApply(remedy)}>
        {label}
      </button>
    );
  }
  if (OF_READING.has(warning.code) && dataset.source.kind === "upload")
    return (
      <a class="button small" href={withQuery(url, { tab: "reading" })}>
        {text.remedies.reading}
      </a>
    );
  if (OF_TRAINING.has(warning.code))
    return (
      <>
        {warning.column && (
          <a class="button small" href={withQuery(url, { tab: null, column: warning.column })}>
            {text.remedies.look}
          </a>
        )}
        <a class="button small" href={`/jobs/new?dataset=${dataset.id}`}>
          {text.remedies.train}
        </a>
      </>
    );
  return null;
}

/** The fields of a correction as a reader would say them. */
function shown(read: Record<string, unknown>): string {
  const text = datasetText();
  return Object.entries(read)
    .map(([name, value]) => `${name in text.fields ? text.fields[name as keyof typeof text.fields].toLowerCase() : name} ${value === "" ? text.none : `“${text.values[String(value)] ?? String(value)}”`}`)
    .join(", ");
}
