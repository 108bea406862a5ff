/** The request as JSON and as commands, to copy. */
import { useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { CopyButton } from "~/elements/CopyButton";
import { Choice } from "~/elements/Field";
import { Section } from "~/elements/Page";
import { asCurl, asJson, asPython } from "~/forms/snippets";
import type { Json } from "~/forms/values";
import { useResource } from "~/state/resource";
import { newJobText } from "~/text/new-job";

type Way = "short" | "whole" | "curl" | "python";
const WAYS: Way[] = ["short", "whole", "curl", "python"];

interface Props {
  request: Json;
  completed: Json | undefined;
}

export function Request({ request, completed }: Props) {
  const text = newJobText();
  const [way, setWay] = useState<Way>("short");
  const session = useResource("session", (signal) => body(api.GET("/v1/session", { signal })));
  const hasKey = session.value?.needs_key ?? false;
  const url = `${location.origin}/v1/jobs`;
  const written = {
    short: () => asJson(request),
    whole: () => asJson(completed ?? request),
    curl: () => asCurl(url, request, hasKey),
    python: () => asPython(url, request, hasKey),
  }[way]();
  return (
    <Section
      title={text.request}
      actions={<CopyButton text={written} />}
    >
      <Choice label={text.request} value={way} onChange={setWay} options={WAYS.map((value) => ({ value, label: text.forms[value] }))} />
      <p class="muted small">{text.formHelp[way]}</p>
      <pre class="request" tabIndex={0} aria-label={text.forms[way]}>
        {written}
      </pre>
    </Section>
  );
}
