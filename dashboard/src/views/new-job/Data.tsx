/** The first choice: which data to learn from. */
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useAction, useResource } from "~/state/resource";
import { integer } from "~/text/format";
import { newJobText } from "~/text/new-job";

interface ChosenProps {
  dataset: Schema["DatasetResource"];
  onChange: () => void;
}

export function ChosenData({ dataset, onChange }: ChosenProps) {
  const text = newJobText();
  return (
    <Section title={text.data}>
      <div class="card row">
        <a href={`/datasets/${dataset.id}`}>{dataset.name}</a>
        <span class="muted">{text.size(integer(dataset.rows), integer(dataset.column_count))}</span>
        <button type="button" class="quiet small" onClick={onChange}>
          {text.change}
        </button>
      </div>
    </Section>
  );
}

const MOST = 100;

export function DataChoice({ onChoose }: { onChoose: (id: string) => void }) {
  const text = newJobText();
  const datasets = useResource("new-job:datasets", (signal) =>
    body(api.GET("/v1/datasets", { params: { query: { view: "brief", page_size: MOST } }, signal })),
  );
  const samples = useResource("new-job:samples", (signal) => body(api.GET("/v1/samples", { signal })));
  const made = useAction(async (kind: string) => {
    const header = { "idempotency-key": idempotencyKey() };
    const sample = { kind } as Schema["SampleRequest"]["sample"];
    const dataset = await body(api.POST("/v1/samples", { params: { header }, body: { sample } }));
    onChoose(dataset.id);
  });
  return (
    <Section title={text.data}>
      <ProblemNotice problem={made.problem} />
      <div class="columns">
        <div class="card">
          <h3>{text.yours}</h3>
          <Loaded resource={datasets}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty title={text.noData}>
                  <a href="/datasets">{text.upload}</a>
                </Empty>
              ) : (
                <>
                  <ul class="choices">
                    {items.map((dataset) => (
                      <li key={dataset.id}>
                        <button type="button" class="quiet" onClick={() => onChoose(dataset.id)}>
                          <strong>{dataset.name}</strong> <span class="muted">{text.size(integer(dataset.rows), integer(dataset.column_count))}</span>
                        </button>
                      </li>
                    ))}
                  </ul>
                  <a href="/datasets">{text.upload}</a>
                </>
              )
            }
          </Loaded>
        </div>
        <div class="card">
          <h3>{text.samples}</h3>
          <Loaded resource={samples}>
            {({ items }) => (
              <ul class="choices">
                {items.map((sample) => (
                  <li key={sample.kind}>
                    <button type="button" class="quiet" disabled={made.isBusy} onClick={() => made.run(sample.kind)}>
                      <strong>{sample.title}</strong> <span class="muted">{sample.summary}</span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </Loaded>
        </div>
      </div>
    </Section>
  );
}
