/** What to do first: three steps, of which the first takes a file or a sample. */
import { useLocation } from "preact-iso";
import { useRef, useState } from "preact/hooks";
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import { ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { useAction } from "~/state/resource";
import { sendFile, uploads } from "~/state/uploads";
import { homeText } from "~/text/home";

const SAMPLES = ["iris", "digits", "house_prices", "double_moons", "spiral", "infant_weight"] as const;

export function Steps() {
  const text = homeText();
  const { route } = useLocation();
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined) => {
    const all = [...(files ?? [])];
    if (all.length === 0) return;
    const sent = all.map((file) => sendFile(file));
    route("/datasets"); // which shows how far they have come
    if (all.length > 1) return;
    void sent[0]?.then((dataset) => {
      if (!dataset || location.pathname !== "/datasets" || uploads.peek().some((entry) => entry.dataset?.id !== dataset.id)) return;
      uploads.value = [];
      route(`/datasets/${dataset.id}`, true);
    });
  };
  return (
    <ol class="steps" aria-label={text.steps}>
      <li
        class={`card drop-here${isOver ? " over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <h2>{text.data}</h2>
        <p>{text.dataHelp}</p>
        <button type="button" class="primary" onClick={() => input.current?.click()}>
          {text.choose}
        </button>
        <input ref={input} class="visually-hidden" type="file" multiple tabIndex={-1} aria-label={text.choose} onChange={(event) => take(event.currentTarget.files)} />
      </li>
      <li class="card">
        <h2>{text.train}</h2>
        <p>{text.trainHelp}</p>
        <a class="button" href="/jobs/new">
          {text.newJob}
        </a>
      </li>
      <li class="card">
        <h2>{text.watch}</h2>
        <p>{text.watchHelp}</p>
        <a class="button" href="/glass">
          {text.glass}
        </a>
      </li>
    </ol>
  );
}

export function Samples() {
  const text = homeText();
  const { route } = useLocation();
  const make = useAction(async (kind: (typeof SAMPLES)[number]) => {
    const sample = { kind } as Schema["SampleRequest"]["sample"];
    const dataset = await body(api.POST("/v1/samples", { params: { header: { "idempotency-key": idempotencyKey() } }, body: { sample } }));
    route(`/jobs/new?dataset=${dataset.id}`);
  });
  return (
    <Section title={text.samples} actions={<a href="/datasets">{text.allSamples}</a>}>
      <p class="muted">{text.samplesHelp}</p>
      <ProblemNotice problem={make.problem} />
      <ul class="offered">
        {SAMPLES.map((kind) => (
          <li key={kind}>
            <button type="button" disabled={make.isBusy} onClick={() => void make.run(kind)}>
              <strong>{text.names[kind]}</strong>
              <span class="muted">{text.sample[kind]}</span>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
