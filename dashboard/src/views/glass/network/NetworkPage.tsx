/** A network step by step: the course's worked example first, others, the reader's own, or a job's next step. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { SelectField } from "~/elements/Field";
import { Loaded, Notice } from "~/elements/Notice";
import { titleOf, useCatalog } from "~/forms/catalog";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { networkPageText } from "~/text/glass-network";
import { GradientCheck } from "./GradientCheck";
import { JobNetwork } from "./JobNetwork";
import { ownOf } from "./own";
import { EXAMPLES, fromAddress, requestOf, toAddress, type Example, type Setup } from "./setup";
import { SetupEditor } from "./SetupEditor";
import { Walk } from "./Walk";

export default function NetworkPage() {
  const [job] = useQuery("job");
  return job ? <JobNetwork job={job} /> : <GivenNetwork />;
}

function GivenNetwork() {
  const text = networkPageText();
  const catalog = useCatalog();
  const [net, setNet] = useMoving("net");
  const [example, setExample] = useQuery("example", "course");
  const [setup, isLost] = useMemo((): [Setup, boolean] => {
    const usual = EXAMPLES[example as Example] ?? EXAMPLES.course;
    if (net === "") return [usual, false];
    const found = fromAddress(net);
    return [found ?? usual, found === null];
  }, [net, example]);
  const change = (next: Setup) => setNet(toAddress(next));
  const asked = useSettled(toAddress(setup));
  const trace = useResource<Schema["Trace"]>(`trace ${asked}`, (signal) => body<Schema["Trace"]>(api.POST("/v1/traces", { body: requestOf(fromAddress(asked) ?? setup), signal })));
  const isOwn = net !== "" && !isLost;
  const choices = [...(isOwn ? [{ value: "", label: text.own }] : []), ...Object.keys(EXAMPLES).map((name) => ({ value: name, label: text.examples[name as Example] }))];
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="fields">
        <SelectField
          label={text.example}
          value={isOwn ? "" : example}
          options={choices}
          onChange={(value) => {
            if (value === "") return;
            setNet("");
            setExample(value, true);
          }}
        />
      </div>
      {isLost && <Notice kind="warning">{text.noNetwork}</Notice>}
      {!isOwn && example === "course" && <Notice>{text.slide}</Notice>}
      {!isOwn && example === "symmetry" && <Notice>{text.symmetryNote}</Notice>}
      <Loaded resource={catalog}>
        {(entries) => (
          <>
            <Walk resource={trace} own={ownOf(entries, setup)} setup={setup} onChange={change} activations={setup.layers.map(({ activation }) => titleOf(entries, "activations", activation.kind))} />
            <SetupEditor setup={setup} catalog={entries} onChange={change} />
            <GradientCheck request={asked} load={(signal) => askCheck(fromAddress(asked) ?? setup, signal)} />
          </>
        )}
      </Loaded>
    </>
  );
}

function askCheck(setup: Setup, signal: AbortSignal): Promise<Schema["GradientCheck"]> {
  const { layers, loss, inputs, targets } = requestOf(setup);
  return body<Schema["GradientCheck"]>(api.POST("/v1/gradient_checks", { body: { layers, loss, inputs, targets, parameters: 200 }, signal }));
}
