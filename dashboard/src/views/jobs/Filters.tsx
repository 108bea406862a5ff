/** Which jobs the list has: what the address says of it, and the fields that change it. */
import { useEffect, useId, useState } from "preact/hooks";
import { appText } from "~/text/app";
import { jobsText } from "~/text/jobs";
import { seriesName } from "~/text/series";
import { chosenColumns, columnsOf, isMetric, metricKeys, type Names } from "./columns";
import { ANY_KIND, KINDS, NEWEST, nextOrder, type Asked } from "./list";

const QUIET_MILLISECONDS = 300;
const STATES = ["queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled"] as const;

interface Choice {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
  /** What is shown where nothing is chosen; all by default. */
  usual?: string;
}

function Select({ label, value, options, onChange, usual }: Choice) {
  const text = jobsText();
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{usual ?? text.any}</option>
        {value && !options.some(([given]) => given === value) && <option value={value}>{value}</option>}
        {options.map(([given, said]) => (
          <option key={given} value={given}>
            {said}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A field whose text is asked for shortly after it was typed. */
function Search({ label, value, list, onChange }: { label: string; value: string; list?: string[]; onChange: (value: string) => void }) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed.trim()), QUIET_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <input id={id} type="search" value={typed} maxLength={200} list={list && `${id}-list`} onInput={(event) => setTyped(event.currentTarget.value)} />
      {list && (
        <datalist id={`${id}-list`}>
          {list.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </div>
  );
}

interface Props {
  asked: Asked;
  set: (name: keyof Asked, value: string) => void;
  names: Names;
  /** Tags that are known to be in use. */
  tags: string[];
  metrics: string[];
}

export function Filters({ asked, set, names, tags, metrics }: Props) {
  const text = jobsText();
  const states = appText().states;
  const keys = metricKeys(metrics);
  const titles = columnsOf(Object.keys(text.columnNames), NEWEST);
  const orders = [...titles, ...keys.map((key) => ({ order: key, title: seriesName(key) }))].flatMap(({ order, title }) => (order ? [{ order, title }] : []));
  const toggle = (key: string) => {
    const now = chosenColumns.value;
    chosenColumns.value = now.includes(key) ? now.filter((each) => each !== key) : [...now, key];
  };
  const box = (key: string, title: string) => (
    <label key={key} class="check">
      <input type="checkbox" checked={chosenColumns.value.includes(key)} onChange={() => toggle(key)} />
      {title}
    </label>
  );
  return (
    <form class="job-filters" role="search" aria-label={text.filters} onSubmit={(event) => event.preventDefault()}>
      <Search label={text.nameHolds} value={asked.name} onChange={(value) => set("name", value)} />
      <Select label={text.kind} value={asked.kind} usual={text.kinds.training} onChange={(value) => set("kind", value)} options={([...KINDS, ANY_KIND] as const).map((kind) => [kind, text.kinds[kind]])} />
      <Select label={text.state} value={asked.state} onChange={(value) => set("state", value)} options={STATES.map((state) => [state, states[state]])} />
      <Select label={text.dataset} value={asked.dataset} onChange={(value) => set("dataset", value)} options={[...names.datasets]} />
      <Select label={text.model} value={asked.model} onChange={(value) => set("model", value)} options={[...names.models]} />
      <Search label={text.tag} value={asked.tag} list={tags} onChange={(value) => set("tag", value)} />
      <div class="filter">
        <label for="jobs-order">{text.order}</label>
        <span class="order-choice">
          <select id="jobs-order" value={asked.order.replace(/^-/, "")} onChange={(event) => set("order", nextOrder("", event.currentTarget.value, /loss|mae|rmse|^name$|^state$/.test(event.currentTarget.value)))}>
            {orders.map(({ order, title }) => (
              <option key={order} value={order}>
                {title}
              </option>
            ))}
          </select>
          <button type="button" aria-pressed={asked.order.startsWith("-")} aria-label={text.descending} title={text.descending} onClick={() => set("order", asked.order.startsWith("-") ? asked.order.slice(1) : `-${asked.order}`)}>
            {asked.order.startsWith("-") ? "↓" : "↑"}
          </button>
        </span>
      </div>
      <details class="filter menu">
        <summary class="button">{text.columns}</summary>
        <fieldset class="menu-content">
          <legend>{text.chooseColumns}</legend>
          {titles.filter(({ key }) => key !== "name" && !isMetric(key)).map(({ key, title }) => box(key, title))}
          <p class="muted small">{text.metrics}</p>
          {keys.map((key) => box(key, seriesName(key)))}
        </fieldset>
      </details>
    </form>
  );
}
