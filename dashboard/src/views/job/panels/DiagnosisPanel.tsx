/** What is wrong with a run, and what helps: each finding with its numbers, and the change that can be taken up at once. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import type { JsonObject } from "~/forms/values";
import { useResource } from "~/state/resource";
import { diagnosisText, evidenceName, ruleName } from "~/text/diagnosis";
import { integer, number } from "~/text/format";
import { Fork } from "../Fork";
import { useAskedAgain } from "./epochs";
import { changeOf, formFor } from "./patches";
import { flat, written } from "./SettingsPanel";
import "./diagnosis.css";

type Job = Schema["JobResource"];
type Found = Schema["Diagnosis"];
type Finding = Schema["FindingResource"];
const SIGNS = { error: "✕", warning: "!", info: "i" } as const;

export function DiagnosisPanel({ job }: { job: Job }) {
  const text = diagnosisText();
  const hasBegun = job.done ? job.started_at !== null : job.progress.epoch > (job.forked_from?.epoch ?? 0);
  const every = completed(job).record.checkpoint_every ?? 10;
  const round = job.done ? job.state : Math.floor(job.progress.epoch / Math.max(1, every));
  const asked = useResource(hasBegun ? `diagnosis:${job.id}` : null, (signal) => body(api.GET("/v1/jobs/{job_id}/diagnosis", { params: { path: { job_id: job.id } }, signal })));
  const found = useAskedAgain(asked, round);
  const [forking, setForking] = useState<JsonObject>();
  if (!hasBegun) return <Empty title={text.notBegun} />;
  return (
    <>
      <p class="muted">{text.lead}</p>
      <Loaded resource={found}>
        {(value) => (
          <>
            <LookedAt job={job} found={value} onAgain={found.reload} />
            {value.asked.length === 0 && <Notice>{text.noRule}</Notice>}
            {value.asked.length > 0 && value.findings.length === 0 && (
              <Notice kind="success" title={text.healthy}>
                {text.healthyLead(integer(value.asked.length))}
              </Notice>
            )}
            <div class="findings">
              {value.findings.map((finding, place) => (
                <Card key={place} job={job} finding={finding} onFork={setForking} />
              ))}
            </div>
            <Rules found={value} />
          </>
        )}
      </Loaded>
      {forking && <Fork job={job} from={forking} onClose={() => setForking(undefined)} />}
    </>
  );
}

/** Which weights and rows the findings are of. */
function LookedAt({ job, found, onAgain }: { job: Job; found: Found; onAgain: () => void }) {
  const text = diagnosisText();
  const rows = Object.entries(text.rows).flatMap(([split, say]) => (found.rows[split] ? [say(integer(found.rows[split]))] : []));
  if (job.done) return <p class="muted small">{text.weights(integer(found.epoch), rows.join(", "))}</p>;
  return (
    <Notice
      actions={
        <button type="button" class="small" onClick={onAgain}>
          {text.again}
        </button>
      }
    >
      {text.running(integer(found.epoch))}
    </Notice>
  );
}

function Card({ job, finding, onFork }: { job: Job; finding: Finding; onFork: (fork: JsonObject) => void }) {
  const text = diagnosisText();
  const { rule, severity, epochs, layer, column, evidence, explanation, suggestion, patch, formula, source } = finding;
  const where = [epochs && text.epochs(integer(epochs[0]), integer(epochs[1])), layer && text.layer(layer), column && text.column(column)].filter(Boolean);
  const change = patch ? flat(changeOf(job, patch)) : [];
  return (
    <article class={`card finding ${severity}`}>
      <header class="row">
        <span class={`severity ${severity}`}>
          <span aria-hidden="true">{SIGNS[severity]}</span> {text.severity[severity]}
        </span>
        <h3>{ruleName(rule)}</h3>
        <span class="muted small">
          {where.join(" · ")} {layer && <a href={`/jobs/${job.id}?tab=layers&layer=${encodeURIComponent(layer)}`}>{text.throughEpochs}</a>}
        </span>
      </header>
      <p>{sentence(explanation)}</p>
      <p>
        <strong>{sentence(suggestion)}</strong>
      </p>
      {change.length > 0 && (
        <p class="small">
          {text.change}: {change.map(([name, value], place) => <span key={name}>{place > 0 && " · "}<code>{name}</code> {written(value)}</span>)}
        </p>
      )}
      {patch && (
        <div class="actions">
          {patch.by === "fork" ? (
            <button type="button" class="small" onClick={() => onFork(patch.body as JsonObject)}>
              {text.fork}
            </button>
          ) : (
            <a class="button small" href={formFor(job, patch.body as JsonObject)}>
              {text.newJob}
            </a>
          )}
        </div>
      )}
      {Object.keys(evidence).length > 0 && (
        <dl class="facts evidence" aria-label={text.evidence}>
          {Object.entries(evidence).flatMap(([name, value]) => [<dt key={name}>{evidenceName(name)}</dt>, <dd key={`${name} value`}>{number(value)}</dd>])}
        </dl>
      )}
      <details>
        <summary class="muted small">
          {text.rule} ({rule})
        </summary>
        <Formula latex={formula} isBlock />
        {source && <p class="muted small">{source}</p>}
      </details>
    </article>
  );
}

/** The text as a sentence: with a capital, and a point at its end. */
export function sentence(given: string): string {
  const whole = given.trim();
  return whole && whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?]$/.test(whole) ? "" : ".");
}

function Rules({ found }: { found: Found }) {
  const text = diagnosisText();
  return (
    <>
      {found.asked.length > 0 && (
        <details class="section">
          <summary>{text.asked(integer(found.asked.length))}</summary>
          <p>{found.asked.map(ruleName).join(" · ")}</p>
        </details>
      )}
      {found.not_asked.length > 0 && (
        <details class="section">
          <summary>{text.notAsked(integer(found.not_asked.length))}</summary>
          <ul>
            {found.not_asked.map(({ rule, reason }) => (
              <li key={rule}>
                {ruleName(rule)}: <span class="muted">{reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
