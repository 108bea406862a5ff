/** A picture drawn with the mouse or a finger, as the model sees it, and what it takes it for. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Schema } from "~/api/client";
import { Section } from "~/elements/Page";
import { isDark } from "~/state/preferences";
import { integer } from "~/text/format";
import { modelsText } from "~/text/models";
import { cellsOfRecord, isLarge, recordOf, scaledDown, unitsOf, type Picture } from "./drawing";
import { useTaken } from "./OneRow";
import { Prediction, usePrediction } from "./prediction";
import { plain, usualOf } from "./values";

type Model = Schema["ModelResource"];
type Dataset = Schema["DatasetResource"];

const SIDE = 280;
/** Width of a stroke, in cells of a small picture and of a large one: as the digits that models learn from are written. */
const STROKES = { small: 1.7, large: 2.4 };
const EACH_MILLISECONDS = 120;

export function Draw({ model, dataset, picture }: { model: Model; dataset: Dataset | undefined; picture: Picture }) {
  const text = modelsText();
  const [drawn, setDrawn] = useState<number[][] | null>(null);
  const { place, row, another, setTaken } = useTaken(dataset);
  const units = unitsOf(picture, dataset?.columns);
  const isWhole = Math.abs(units.ink - units.paper) > 2;
  const cells = row.value ? cellsOfRecord(picture, row.value, units) : drawn;
  const columns = new Map(dataset?.columns.map((column) => [column.name, column]));
  const others = Object.fromEntries(model.inputs.map((input) => [input.name, usualOf(input, columns.get(input.name))]));
  const record = cells && { ...others, ...recordOf(picture, cells, units, isWhole) };
  const predicted = usePrediction(model.id, record);
  const truth = row.value && typeof model.target === "string" ? row.value[model.target] : undefined;
  return (
    <div class="predict">
      <div class="drawing">
        <p class="muted">{place !== null && row.value ? text.tookRow(integer(place)) : text.drawLead}</p>
        <Board
          size={[picture.rows, picture.columns]}
          isTaken={place !== null}
          onDraw={(found) => {
            if (place !== null) setTaken("");
            setDrawn(found);
          }}
          actions={
            dataset &&
            dataset.rows > 0 && (
              <button type="button" onClick={() => { setDrawn(null); another(); }}>
                {text.takeRow}
              </button>
            )
          }
        />
      </div>
      <Section title={text.seen}>
        <Seen cells={cells} rows={picture.rows} columns={picture.columns} />
      </Section>
      <Prediction model={model} predicted={predicted} otherwise={text.noPrediction} truth={truth === undefined ? undefined : plain(truth)} />
    </div>
  );
}

interface BoardProps {
  size: [rows: number, columns: number];
  /** Whether a row of the data is shown in the place of a drawing. */
  isTaken: boolean;
  onDraw: (cells: number[][] | null) => void;
  actions: preact.ComponentChildren;
}

function Board({ size: [rows, columns], isTaken, onDraw, actions }: BoardProps) {
  const text = modelsText();
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ x: number; y: number } | null>(null);
  const read = useRef(0);
  const contextOf = () => canvas.current?.getContext("2d", { willReadFrequently: true });
  const side = Math.max(rows, columns);
  const tell = () => {
    const context = contextOf();
    if (!context) return;
    read.current = performance.now();
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    const ink = Float32Array.from({ length: SIDE * SIDE }, (_, k) => (data[4 * k + 3] as number) / 255);
    onDraw(scaledDown({ width: SIDE, height: SIDE, data: ink }, rows, columns));
  };
  const wipe = () => contextOf()?.clearRect(0, 0, SIDE, SIDE);
  useEffect(() => {
    if (isTaken) wipe();
  }, [isTaken]);
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { x: ((event.clientX - box.left) * SIDE) / box.width, y: ((event.clientY - box.top) * SIDE) / box.height };
  };
  const stroke = (event: PointerEvent) => {
    const context = contextOf();
    if (!context || !last.current) return;
    const next = at(event);
    context.strokeStyle = isDark.peek() ? "#ffffff" : "#000000";
    context.lineWidth = (SIDE / side) * (isLarge(rows, columns) ? STROKES.large : STROKES.small);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(last.current.x, last.current.y);
    context.lineTo(next.x, next.y + 0.01); // a dot, too, leaves ink
    context.stroke();
    last.current = next;
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="board"
        width={SIDE}
        height={SIDE}
        role="img"
        aria-label={text.drawHere}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = at(event);
          stroke(event);
        }}
        onPointerMove={(event) => {
          if (!last.current) return;
          stroke(event);
          if (performance.now() - read.current > EACH_MILLISECONDS) tell();
        }}
        onPointerUp={() => {
          if (last.current) tell();
          last.current = null;
        }}
        onPointerCancel={() => (last.current = null)}
      />
      <div class="actions">
        <button type="button" onClick={() => { wipe(); onDraw(null); }}>
          {text.redraw}
        </button>
        {actions}
      </div>
    </>
  );
}

/** The picture in the model's own size. */
function Seen({ cells, rows, columns }: { cells: number[][] | null; rows: number; columns: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(columns, rows);
    for (let k = 0; k < rows * columns; k++) {
      const ink = Math.min(1, Math.max(0, cells?.[Math.floor(k / columns)]?.[k % columns] ?? 0));
      image.data.set([255 * ink, 255 * ink, 255 * ink, 255], 4 * k);
    }
    context.putImageData(image, 0, 0);
  }, [cells, rows, columns]);
  return (
    <>
      <canvas ref={canvas} class="seen" width={columns} height={rows} role="img" aria-label={modelsText().seen} />
      <p class="muted small">
        {integer(rows)} × {integer(columns)}
      </p>
    </>
  );
}
