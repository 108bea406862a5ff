/** The request of a job, to send it again: as JSON, or as a command to copy. */
import { useState } from "preact/hooks";
import { CopyButton } from "~/elements/CopyButton";
import { Choice } from "~/elements/Field";
import { Section } from "~/elements/Page";
import { asCurl, asJson, asPython } from "~/forms/snippets";
import type { JsonObject } from "~/forms/values";
import { jobText } from "~/text/job";

type Way = "json" | "curl" | "python";
const WAYS: Record<Way, string> = { json: "JSON", curl: "curl", python: "Python" };

export function RequestAs({ request, hasKey }: { request: JsonObject; hasKey: boolean }) {
  const text = jobText().settings;
  const [way, setWay] = useState<Way>("json");
  const url = `${location.origin}/v1/jobs`;
  const written = { json: () => asJson(request), curl: () => asCurl(url, request, hasKey), python: () => asPython(url, request, hasKey) }[way]();
  return (
    <Section title={text.request} actions={<CopyButton text={written} />}>
      <p class="muted">{text.requestLead}</p>
      <Choice label={text.request} value={way} onChange={setWay} options={(Object.keys(WAYS) as Way[]).map((value) => ({ value, label: WAYS[value] }))} />
      <pre class="job-code" tabIndex={0} aria-label={WAYS[way]}>
        {written}
      </pre>
    </Section>
  );
}
