/** Asks for the key where one is needed, over the view, which stays as it was; and tells who is signed in. */
import { useState } from "preact/hooks";
import { useAction } from "~/state/resource";
import { isKeyMissing, session, signIn, signOut } from "~/state/session";
import { appText } from "~/text/app";
import { dateTime } from "~/text/format";
import { sessionText } from "~/text/session";
import { Dialog } from "./Dialog";
import { Field } from "./Field";

/** Where the key is asked for: once in the page. */
export function KeyDialog() {
  return isKeyMissing.value ? <KeyForm /> : null;
}

function KeyForm() {
  const text = sessionText();
  const [key, setKey] = useState("");
  const entry = useAction(signIn);
  const { problem } = entry;
  const wrong = problem && (problem.status === 0 ? appText().unreachable : (problem.at("/key") ?? problem.detail));
  return (
    <Dialog title={text.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!entry.isBusy) void entry.run(key.trim());
        }}
      >
        <p>{text.lead}</p>
        <Field
          label={text.key}
          error={wrong}
          help={
            <>
              {text.help} <code>{text.command}</code>
            </>
          }
        >
          {(control) => (
            <input {...control} type="password" name="key" autocomplete="current-password" spellcheck={false} required value={key} onInput={(event) => setKey(event.currentTarget.value)} />
          )}
        </Field>
        <div class="actions end">
          <button type="submit" class="primary" disabled={entry.isBusy}>
            {text.signIn}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The way out, for who is signed in. */
export function SignOut() {
  const text = sessionText();
  const found = session.value;
  if (!found?.key_id) return null;
  return (
    <button type="button" class="quiet small" title={text.owner(found.owner ?? "", dateTime(found.expires_at))} onClick={() => void signOut()}>
      {text.signOut}
    </button>
  );
}
