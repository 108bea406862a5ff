/** What the reader has to know: notices, problems, and what is being waited for. */
import type { ComponentChildren } from "preact";
import type { Problem } from "~/api/problem";
import type { Resource } from "~/state/resource";
import { isKeyMissing } from "~/state/session";
import { appText } from "~/text/app";

interface Props {
  kind?: "information" | "warning" | "error" | "success";
  title?: string;
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

export function Notice({ kind = "information", title, actions, children }: Props) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
      <div class="notice-text">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {actions && <div class="actions">{actions}</div>}
    </div>
  );
}

/** A problem of the API as its detail says it, with the places that it names. */
export function ProblemNotice({ problem, retry }: { problem: Problem | undefined; retry?: () => void }) {
  if (!problem || (problem.status === 401 && isKeyMissing.value)) return null; // then the key is asked for, and all is asked again
  const text = appText();
  const again = retry && (
    <button type="button" onClick={retry}>
      {text.retry}
    </button>
  );
  if (problem.code === "UNREACHABLE") return <Notice kind="warning" actions={again}>{text.unreachable}</Notice>;
  return (
    <Notice kind="error" title={problem.title || text.failed} actions={again}>
      <p>{problem.detail}</p>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ pointer, detail }) => (
            <li key={pointer}>
              <code>{pointer}</code> {detail}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

/** Shows a resource once it is there; before that, that it is awaited; or else why it is not there. */
export function Loaded<T>({ resource, children }: { resource: Resource<T>; children: (value: T) => ComponentChildren }) {
  const { value, problem, isLoading, reload } = resource;
  return (
    <>
      <ProblemNotice problem={problem} retry={reload} />
      {value !== undefined ? children(value) : isLoading && <p class="waiting" aria-busy="true">{appText().loading}</p>}
    </>
  );
}
