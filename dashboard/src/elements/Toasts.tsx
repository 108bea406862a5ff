/** Short messages that go away by themselves, some with a way to undo. */
import { signal } from "@preact/signals";
import { appText } from "~/text/app";

interface Toast {
  id: number;
  text: string;
  kind: "information" | "error";
  undo?: () => void;
}

const SECONDS = 8;
const toasts = signal<Toast[]>([]);
let count = 0;

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Tell the reader something in passing. */
export function tell(text: string, { kind = "information" as Toast["kind"], undo = undefined as (() => void) | undefined } = {}): void {
  const id = (count += 1);
  toasts.value = [...toasts.value, { id, text, kind, undo }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
}

/** Where messages appear: once in the page. */
export function Toasts() {
  const text = appText();
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.kind}`}>
          <span>{toast.text}</span>
          {toast.undo && (
            <button
              type="button"
              onClick={() => {
                toast.undo?.();
                dismiss(toast.id);
              }}
            >
              {text.undo}
            </button>
          )}
          <button type="button" class="quiet" aria-label={text.close} onClick={() => dismiss(toast.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
