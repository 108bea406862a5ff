/** What the system is doing: its parts, and how many jobs run and wait. */
import { useEffect } from "preact/hooks";
import { api, body } from "~/api/client";
import { Section } from "~/elements/Page";
import { useResource } from "~/state/resource";
import { integer } from "~/text/format";
import { homeText } from "~/text/home";

const EACH_MILLISECONDS = 5_000;
const PARTS = ["database", "broker", "worker"] as const;

export function System() {
  const text = homeText();
  const ready = useResource("home:ready", async (signal) => {
    const { data, error } = await api.GET("/readyz", { signal });
    return data ?? error; // the answer is the same where a part is failing, with 503
  });
  const counts = useResource("home:counts", (signal) => body(api.GET("/v1/jobs/summary", { signal })));
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      ready.reload();
      counts.reload();
    }, EACH_MILLISECONDS);
    return () => clearInterval(timer);
  }, [ready.reload, counts.reload]);
  const states = counts.value?.states;
  const told = states && [
    [text.running, states.running + states.pausing + states.cancelling],
    [text.queued, states.queued],
    [text.paused, states.paused],
    [text.finished, states.succeeded + states.failed + states.cancelled],
  ] as const;
  const late = ready.value?.supervisor?.processes.filter((process) => process.state !== "up") ?? [];
  return (
    <Section title={text.system}>
      {told && (
        <dl class="tiles">
          {told.map(([name, count]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{integer(count)}</dd>
            </div>
          ))}
        </dl>
      )}
      {ready.value && (
        <ul class="parts" aria-label={ready.value.status === "ok" ? text.ready : text.notReady}>
          {PARTS.map((name) => {
            const part = ready.value?.[name];
            return (
              part && (
                <li key={name} class={part.status}>
                  <strong>{text.parts[name]}</strong> {part.detail ?? text.ok}
                </li>
              )
            );
          })}
          {late.map((process) => (
            <li key={process.name} class="failing">
              <strong>{process.name}</strong> {text.processes[process.state]}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
