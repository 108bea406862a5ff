/** A square of numbers from −1 to 1 as colours: numbers in, a canvas out. Arrow keys move from cell to cell, as the cursor does. */
import { useEffect, useRef, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number } from "~/text/format";
import { language } from "~/text/language";
import { moved } from "./cells";
import { colour, diverging } from "./colours";
import { placeOf } from "./nearest";
import { prepared, useWidth } from "./size";

interface Props {
  label: string;
  /** Names of rows and columns alike. */
  names: string[];
  /** Row by row; null where there is no number. */
  matrix: (number | null)[][];
  /** Called with the names of a cell that is clicked or chosen by Enter. */
  onChoose?: (row: string, column: string) => void;
}

const LARGEST_CELL = 44;
const LEGIBLE_CELL = 11;
const NUMBERED_CELL = 38;
const NAME_PIXELS = 7;
const LONGEST_NAME = 16;

const cut = (name: string) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

/** A number of two digits behind the point: what a cell has room for. */
const short = (value: number) => new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }).format(value).replace(/^-0$/, "0").replace("-", "−");

export function HeatMap({ label, names, matrix, onChoose }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cell, setCell] = useState<[number, number] | null>(null);
  const dark = isDark.value;
  const count = names.length;
  const named = Math.min(width * 0.35, Math.max(...names.map((name) => cut(name).length), 1) * NAME_PIXELS + 10);
  const besideNames = Math.min(LARGEST_CELL, (width - named) / count);
  const isNamed = besideNames >= LEGIBLE_CELL;
  const edge = isNamed ? named : 0;
  const side = isNamed ? besideNames : Math.max(1, Math.min(LARGEST_CELL, width / count));
  const height = Math.ceil(edge + side * count);
  useEffect(() => {
    if (!canvas.current || width === 0) return;
    const context = prepared(canvas.current, width, height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    matrix.forEach((row, down) => {
      row.forEach((value, across) => {
        const [x, y] = [edge + across * side, edge + down * side];
        context.fillStyle = value === null ? colour("--grid") : `rgb(${diverging(value).join(",")})`;
        context.fillRect(x, y, side > 4 ? side - 1 : side, side > 4 ? side - 1 : side);
        if (side >= NUMBERED_CELL && value !== null) {
          context.fillStyle = Math.abs(value) > 0.6 ? colour("--background") : colour("--text");
          context.textAlign = "center";
          context.fillText(short(value), x + side / 2 - 0.5, y + side / 2);
        }
      });
    });
    if (isNamed) {
      context.fillStyle = colour("--muted");
      names.forEach((name, place) => {
        context.textAlign = "right";
        context.fillText(cut(name), edge - 6, edge + (place + 0.5) * side);
        context.save();
        context.translate(edge + (place + 0.5) * side, edge - 6);
        context.rotate(-Math.PI / 2);
        context.textAlign = "left";
        context.fillText(cut(name), 0, 0);
        context.restore();
      });
    }
    if (cell) {
      context.strokeStyle = colour("--text");
      context.lineWidth = 2;
      context.strokeRect(edge + cell[1] * side, edge + cell[0] * side, side - 1, side - 1);
    }
  }, [matrix, names, width, height, dark, cell]);
  const under = (event: MouseEvent): [number, number] | null => {
    const [across, down] = placeOf(event).map((at) => Math.floor((at - edge) / side)) as [number, number];
    return across >= 0 && down >= 0 && across < count && down < count ? [down, across] : null;
  };
  const choose = (at: [number, number] | null) => at && onChoose?.(names[at[0]] as string, names[at[1]] as string);
  const value = cell && matrix[cell[0]]?.[cell[1]];
  return (
    <div>
      <div ref={frame} class="heat-map">
        <canvas
          ref={canvas}
          role="img"
          aria-label={label}
          tabIndex={0}
          onPointerMove={(event) => setCell(under(event))}
          onPointerLeave={() => setCell(null)}
          onClick={(event) => choose(under(event))}
          onKeyDown={(event) => {
            if (event.key === "Enter") return choose(cell);
            const next = moved(cell ?? [0, 0], event.key, count);
            if (!next) return;
            event.preventDefault();
            setCell(cell ? next : [0, 0]);
          }}
          onBlur={() => setCell(null)}
        />
      </div>
      <p class="reading" role="status">
        {cell ? `${names[cell[0]]} × ${names[cell[1]]}: ${number(value, 3)}` : "\u00a0"}
      </p>
      <Scale />
    </div>
  );
}

/** What the colours mean. */
function Scale() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    if (!canvas.current) return;
    const context = prepared(canvas.current, 160, 10);
    for (let x = 0; x < 160; x++) {
      context.fillStyle = `rgb(${diverging((x / 159) * 2 - 1).join(",")})`;
      context.fillRect(x, 0, 1.5, 10);
    }
  }, [dark]);
  return (
    <div class="row small muted" aria-hidden="true">
      −1 <canvas ref={canvas} /> 1
    </div>
  );
}
