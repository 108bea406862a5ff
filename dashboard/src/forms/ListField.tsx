/** A list of parts, such as layers: added, removed, and put in another order by button, by arrow key or by dragging. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Formula } from "~/elements/Formula";
import { entryText, formsText, titleText } from "~/text/forms";
import { entryOf, nameOf as nameOfKind, plainFirst, valueAt, type Entry, type FieldProps } from "./form";
import { Beside, Described } from "./parts";
import { KIND } from "./schema";
import { SchemaFields } from "./SchemaField";
import { at, fieldsFor, kindOf, moved, pointerOf, shortened, type Json } from "./values";

export function ListField({ form, field, path }: FieldProps) {
  const text = formsText();
  const pointer = pointerOf(path);
  const title = titleText(field);
  const shown = valueAt(form, path, field);
  const entries: Json[] = Array.isArray(shown) ? shown : [];
  const { item, most } = field.shape.type === "list" ? field.shape : { item: field, most: 0 };
  const members = item.shape.type === "union" ? item.shape.members : [];
  const called = members.length && field.name === "layers" ? text.layer : entryText(field);
  const fieldsOf = (entry: Json) => plainFirst(fieldsFor(item.shape, entry) ?? []);
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
  const [another, setAnother] = useState<string>();
  const next = another ?? members.find(({ kind }) => kind === kindOf(entries.at(-1)))?.kind ?? members[0]?.kind;
  const error = form.errorAt(pointer);
  const isChanged = at(form.changes, path) !== undefined;
  const put = (next: Json[]) => form.set(path, next.map((entry) => shortened(entry, item.shape)));
  const nameOf = (index: number) => {
    const kind = members.length ? kindOf(entries[index]) : undefined;
    return `${called} ${index + 1}${kind === undefined ? "" : `: ${nameOfKind(form.catalog, members, kind)}`}`;
  };
  const move = (from: number, to: number, part: string) => {
    if (to < 0 || to >= entries.length || from === to) return;
    put(moved(entries, from, to));
    focus.current = `li:nth-child(${to + 1}) ${part}`;
    setSaid(text.movedTo(nameOf(from), to + 1));
  };
  const add = () => {
    const like = entries.at(-1) ?? (Array.isArray(field.default) ? (field.default as Json[])[0] : undefined) ?? {};
    put([...entries, members.length && kindOf(like) !== next ? { [KIND]: next! } : like]);
    focus.current = `li:nth-child(${entries.length + 1}) ${members.length ? ".handle" : "input"}`;
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
        {entries.map((entry, index) => (
          <li
            key={index}
            data-pointer={members.length ? pointerOf([...path, index]) : undefined}
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
            {form.errorAt(pointerOf([...path, index])) && (
              <p class="field-error" role="alert">
                {form.errorAt(pointerOf([...path, index]))}
              </p>
            )}
            {members.length > 0 && <About entry={entryOf(form.catalog, members, kindOf(entry))} />}
            <SchemaFields form={form} fields={fieldsOf(entry)} path={[...path, index]} />
          </li>
        ))}
      </ol>
      <div class="row add">
        {members.length > 0 && (
          <select aria-label={text.kindOf(called)} value={next} onChange={(event) => setAnother(event.currentTarget.value)}>
            {members.map(({ kind }) => (
              <option key={kind} value={kind}>
                {nameOfKind(form.catalog, members, kind)}
              </option>
            ))}
          </select>
        )}
        <button type="button" disabled={most !== undefined && entries.length >= most} onClick={add}>
          + {text.add(called)}
        </button>
      </div>
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </fieldset>
  );
}

/** What an entry of a kind does, to be opened. */
function About({ entry }: { entry: Entry | undefined }) {
  if (!entry) return null;
  return (
    <details class="about">
      <summary>{entry.summary}</summary>
      <Formula latex={entry.formula} isBlock />
      {entry.source && <p class="source">{entry.source}</p>}
    </details>
  );
}
