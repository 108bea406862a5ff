import { appText } from "~/text/app";
import { tell } from "./Toasts";

/** Puts text on the clipboard; where the browser gives none (a page without HTTPS), by way of a selection. */
export function CopyButton({ text }: { text: string }) {
  const copy = async () => {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    tell(appText().copied);
  };
  return (
    <button type="button" class="small" onClick={copy}>
      {appText().copy}
    </button>
  );
}
