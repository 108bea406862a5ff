/** Beside the form: what the job will be, what has to be mended, and the button that starts it. */
import { lazy } from "preact-iso";
import type { Schema } from "~/api/client";
import type { FieldProblem, Problem } from "~/api/problem";
import { Notice, ProblemNotice } from "~/elements/Notice";
import type { Checked } from "~/state/check";
import { bytes, duration, integer } from "~/text/format";
import { newJobText } from "~/text/new-job";
import { sizeOf } from "./layers";

const Network = lazy(() => import("~/charts/Network").then((file) => file.Network));

const PARTS = ["train", "validation", "test"] as const;

interface Props {
  checked: Checked;
  problem: Problem | undefined;
  isReady: boolean;
  isStarting: boolean;
  onGo: (pointer: string) => void;
}

export function Aside({ checked, problem, isReady, isStarting, onGo }: Props) {
  const text = newJobText();
  const { estimate, isChecking } = checked;
  return (
    <aside class="new-job-aside" aria-label={text.check}>
      <div class="card">
        <h2>{text.check}</h2>
        {problem ? <Mend problem={problem} onGo={onGo} /> : estimate ? <Estimated estimate={estimate} onGo={onGo} /> : <p class="muted">{text.waiting}</p>}
        <p class="muted small checking" aria-live="polite">
          {isChecking && isReady ? text.checking : ""}
        </p>
        <button type="submit" class="primary" disabled={!isReady || isStarting || problem !== undefined}>
          {isStarting ? text.starting : text.start}
        </button>
      </div>
    </aside>
  );
}

function Go({ field, onGo }: { field: string; onGo: (pointer: string) => void }) {
  return (
    <button type="button" class="quiet small" onClick={() => onGo(`/${field.replaceAll(".", "/")}`)}>
      → <code>{field}</code>
    </button>
  );
}

/** Every mistake, leading to its field. */
export function Mend({ problem, onGo }: { problem: Problem; onGo: (pointer: string) => void }) {
  const text = newJobText();
  if (problem.errors.length === 0) return <ProblemNotice problem={problem} />;
  return (
    <Notice kind="error" title={text.problems(problem.errors.length)}>
      <ul class="mend">
        {problem.errors.map((error: FieldProblem) => (
          <li key={error.pointer + error.detail}>
            <button type="button" class="quiet small" onClick={() => onGo(error.pointer)}>
              <code>{error.pointer.slice(1).replaceAll("/", ".")}</code>
            </button>{" "}
            {error.detail}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

export function Estimated({ estimate, onGo }: { estimate: Schema["Estimate"]; onGo: (pointer: string) => void }) {
  const text = newJobText();
  const { rows, layers } = estimate;
  const inputs = layers[0]?.inputs ?? 0;
  const sizes = [inputs, ...layers.map((layer) => layer.outputs)];
  return (
    <>
      <dl class="facts">
        <dt>{text.rows}</dt>
        <dd>{PARTS.filter((part) => rows[part]).map((part) => text.rowsOf[part](integer(rows[part]))).join(", ")}</dd>
        <dt>{text.parameters}</dt>
        <dd>{integer(estimate.parameters)}</dd>
        <dt>{text.memory}</dt>
        <dd>{bytes(estimate.memory_bytes)}</dd>
        <dt>{text.time}</dt>
        <dd>{estimate.seconds === null ? text.solver : text.about(duration(estimate.seconds))}</dd>
      </dl>
      {layers.some(({ kind }) => kind !== "dense") ? (
        <Layers layers={layers} />
      ) : (
        layers.length > 0 && (
          <div class="shape">
            <Network
              label={text.networkOf(sizes.map((size) => integer(size)).join(", "))}
              inputs={inputs}
              layers={layers.map((layer) => ({ units: layer.outputs, activation: layer.activation ?? text.outputLayer }))}
              most={5}
            />
          </div>
        )
      )}
      {estimate.warnings.length > 0 && (
        <Notice kind="warning" title={text.warnings}>
          <ul>
            {estimate.warnings.map((warning, index) => (
              <li key={index}>
                {warning.detail}{" "}
                {typeof warning.field === "string" && <Go field={warning.field} onGo={onGo} />}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

/** The layers in their order, each with what comes out of it and how much it learns. */
function Layers({ layers }: { layers: Schema["EstimatedLayer"][] }) {
  const text = newJobText();
  return (
    <div class="table-frame">
      <table class="layer-shapes">
        <thead>
          <tr>
            <th scope="col">{text.layer}</th>
            <th scope="col" class="number">{text.output}</th>
            <th scope="col" class="number">{text.parameters}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{text.input}</th>
            <td class="number">{sizeOf(layers[0]?.input_shape ?? [])}</td>
            <td />
          </tr>
          {layers.map((layer) => (
            <tr key={layer.name}>
              <th scope="row">{layer.name}</th>
              <td class="number">{sizeOf(layer.output_shape)}</td>
              <td class="number">{integer(layer.parameters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
