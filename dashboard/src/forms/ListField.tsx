/** A list of parts, such as layers: added, removed, and put in another order by button, by arrow key or by dragging. */
import { useEffect, useRef, useState } from "preact/hooks";
import { entryText, formsText, titleText } from "~/text/forms";
import { plainFirst, valueAt, type FieldProps } from "./form";
import { Beside, Described } from "./parts";
import { SchemaFields } from "./SchemaField";
import { at, moved, pointerOf, shortened, type Json } from "./values";

export function ListField({ form, field, path }: FieldProps) {
  const text = formsText();
  const pointer = pointerOf(path);
  const title = titleText(field);
  const shown = valueAt(form, path, field);
  const entries: Json[] = Array.isArray(shown) ? shown : [];
  const { item, most } = field.shape.type === "list" ? field.shape : { item: field, most: 0 };
  const fields = plainFirst(item.shape.type === "object" ? item.shape.fields : []);
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const focus = useRef<string | null>(null);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (focus.current === null) return;
    list.current?.querySelector<HTMLElement>(focus.current)?.focus();
    focus.current = null;
  });
  const error = form.errorAt(pointer);
  const isChanged = at(form.changes, path) !== undefined;
  const put = (next: Json[]) => form.set(path, next.map((entry) => shortened(entry, item.shape)));
  const nameOf = (index: number) => `${entryText(field)} ${index + 1}`;
  const move = (from: number, to: number, part: string) => {
    if (to < 0 || to >= entries.length || from === to) return;
    put(moved(entries, from, to));
    focus.current = `li:nth-child(${to + 1}) ${part}`;
    setSaid(text.movedTo(nameOf(from), to + 1));
  };
  const add = () => {
    const like = entries.at(-1) ?? (Array.isArray(field.default) ? (field.default as Json[])[0] : undefined) ?? {};
    put([...entries, like]);
    focus.current = `li:nth-child(${entries.length + 1}) input`;
  };
  const remove = (index: number) => {
    put(entries.filter((_, place) => place !== index));
    focus.current = entries.length > 1 ? `li:nth-child(${Math.max(1, index)}) .handle` : null;
  };
  return (
    <fieldset class={`group list${error ? " wrong" : ""}`} data-pointer={pointer}>
      <legend>
        {title} <Beside title={title} onReset={isChanged ? () => form.reset(path) : undefined} />
      </legend>
      <p class="help">
        <Described text={field.description} />
      </p>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      {entries.length === 0 && <p class="muted">{text.empty}</p>}
      <ol ref={list}>
        {entries.map((_, index) => (
          <li
            key={index}
            class={dragged === index ? "dragged" : over === index ? "over" : ""}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(index);
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) move(dragged, index, ".handle");
              setDragged(null);
              setOver(null);
            }}
          >
            <header>
              <button
                type="button"
                class="handle quiet"
                draggable
                aria-label={text.drag(nameOf(index))}
                onDragStart={(event) => {
                  event.dataTransfer?.setData("text/plain", String(index));
                  setDragged(index);
                }}
                onDragEnd={() => {
                  setDragged(null);
                  setOver(null);
                }}
                onKeyDown={(event) => {
                  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                  if (step === undefined) return;
                  event.preventDefault();
                  move(index, index + step, ".handle");
                }}
              >
                ⠿
              </button>
              <strong>{nameOf(index)}</strong>
              <span class="note">{form.noteAt?.(pointerOf([...path, index]))}</span>
              <span class="actions">
                <button type="button" class="quiet small up" disabled={index === 0} aria-label={text.up(nameOf(index))} onClick={() => move(index, index - 1, ".up")}>
                  ↑
                </button>
                <button type="button" class="quiet small down" disabled={index === entries.length - 1} aria-label={text.down(nameOf(index))} onClick={() => move(index, index + 1, ".down")}>
                  ↓
                </button>
                <button type="button" class="quiet small" aria-label={text.removeItem(nameOf(index))} onClick={() => remove(index)}>
                  ✕
                </button>
              </span>
            </header>
            <SchemaFields form={form} fields={fields} path={[...path, index]} />
          </li>
        ))}
      </ol>
      <button type="button" disabled={most !== undefined && entries.length >= most} onClick={add}>
        + {text.add(entryText(field))}
      </button>
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </fieldset>
  );
}
