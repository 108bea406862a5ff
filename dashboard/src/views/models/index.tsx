/** The models, newest first. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { ask } from "~/elements/Dialog";
import { ProblemNotice } from "~/elements/Notice";
import { Empty, Page } from "~/elements/Page";
import { tell } from "~/elements/Toasts";
import { useQuery } from "~/state/address";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { ago, dateTime, integer, number } from "~/text/format";
import { modelsText } from "~/text/models";
import { seriesName } from "~/text/series";
import "./models.css";

type Model = Schema["ModelSummary"];

const PAGE = 50;
const TOLD = ["validation_accuracy", "validation_tag_accuracy", "validation_r2", "train_accuracy", "train_tag_accuracy", "train_r2", "validation_loss", "train_loss"];

export default function Models() {
  const text = modelsText();
  const [name, setName] = useQuery("name");
  const [more, setMore] = useState<{ of: string; items: Model[]; token: string | null } | null>(null);
  const read = (token: string | null, signal?: AbortSignal) =>
    body(api.GET("/v1/models", { params: { query: { view: "brief", page_size: PAGE, name: name || undefined, page_token: token ?? undefined } }, signal }));
  const first = useResource(`models:${name}`, (signal) => read(null, signal));
  const rest = more?.of === name ? more : null;
  const token = rest ? rest.token : first.value?.next_page_token;
  const load = useAction(async () => {
    const found = await read(token ?? null);
    setMore({ of: name, items: [...(rest?.items ?? []), ...(found.items as Model[])], token: found.next_page_token });
  });
  const remove = useAction(async (model: Model) => {
    const called = model.name ?? text.unnamed;
    if (!(await ask(text.deleteTitle(called), text.deleteText, text.delete))) return;
    await body(api.DELETE("/v1/models/{model_id}", { params: { path: { model_id: model.id } } }));
    tell(text.deleted(called));
    setMore(null);
    first.reload();
  });
  const models = [...((first.value?.items ?? []) as Model[]), ...(rest?.items ?? [])];
  return (
    <Page title={appText().models} lead={text.lead}>
      <ProblemNotice problem={first.problem ?? load.problem ?? remove.problem} retry={first.reload} />
      {(name !== "" || models.length > 5) && (
        <p>
          <input class="find" type="search" aria-label={text.find} placeholder={text.find} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </p>
      )}
      {first.value && models.length === 0 && (
        <Empty title={name ? text.none : text.empty}>
          {!name && (
            <>
              <p>{text.emptyHelp}</p>
              <a class="button primary" href="/jobs/new">{text.newJob}</a>
            </>
          )}
        </Empty>
      )}
      {!first.value && first.isLoading && <p class="waiting" aria-busy="true">{appText().loading}</p>}
      {models.length > 0 && (
        <div class="table-frame">
          <table>
            <thead>
              <tr>
                <th scope="col">{text.name}</th>
                <th scope="col">{text.kind}</th>
                <th scope="col">{text.metric}</th>
                <th scope="col" class="number">{text.size}</th>
                <th scope="col">{text.made}</th>
                <th scope="col">
                  <span class="visually-hidden">{text.delete}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <tr key={model.id}>
                  <th scope="row">
                    <a href={`/models/${model.id}`}>{model.name ?? text.unnamed}</a>
                  </th>
                  <td>{model.kind.replaceAll("_", " ")}</td>
                  <td class="nowrap">{told(model.metrics)}</td>
                  <td class="number">{integer(model.parameters)}</td>
                  <td class="nowrap" title={dateTime(model.created_at)}>{ago(model.created_at)}</td>
                  <td class="number">
                    <button type="button" class="quiet small" aria-label={`${text.delete}: ${model.name ?? text.unnamed}`} onClick={() => void remove.run(model)}>
                      {text.delete}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {token && (
        <p class="actions end">
          <button type="button" disabled={load.isBusy} onClick={() => void load.run()}>{appText().more}</button>
        </p>
      )}
    </Page>
  );
}

/** The metric that says most about a model. */
function told(metrics: Model["metrics"]): string {
  const name = TOLD.find((each) => metrics[each] !== undefined && metrics[each] !== null);
  return name ? `${seriesName(name)} ${number(metrics[name])}` : "";
}
