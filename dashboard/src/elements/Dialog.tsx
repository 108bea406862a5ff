/** A dialog over the page, and questions asked before what cannot be undone. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { appText } from "~/text/app";

interface Props {
  title: string;
  /** Called when the reader leaves the dialog by Escape or the button; without it, it cannot be left. */
  onClose?: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <header class="section-head">
        <h2 id={id}>{title}</h2>
        {onClose && (
          <button type="button" class="quiet" onClick={onClose} aria-label={appText().close}>
            ✕
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}

interface Question {
  title: string;
  text: string;
  /** The word on the button that goes on. */
  action: string;
  answer: (isYes: boolean) => void;
}

const question = signal<Question | null>(null);

/** Ask the reader; true where the answer is yes. */
export function ask(title: string, text: string, action: string): Promise<boolean> {
  question.peek()?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      title,
      text,
      action,
      answer: (isYes) => {
        question.value = null;
        resolve(isYes);
      },
    };
  });
}

/** Where questions are asked: once in the page. */
export function Questions() {
  const asked = question.value;
  if (!asked) return null;
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(false)}>
      <p>{asked.text}</p>
      <div class="actions end">
        <button type="button" onClick={() => asked.answer(false)}>
          {appText().cancel}
        </button>
        <button type="button" class="danger" onClick={() => asked.answer(true)}>
          {asked.action}
        </button>
      </div>
    </Dialog>
  );
}
