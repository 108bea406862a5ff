/**
 * Curves: numbers in, a canvas out. Drag, press + and −, or turn the wheel with Ctrl to zoom; Shift and ← or → or the wheel move on;
 * 0 or a double click show all; ← and → move the cursor.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number, tick as short } from "~/text/format";
import { language } from "~/text/language";
import { align, zoomed, type Scale, type Series } from "./aligned";
import { colour, seriesLook } from "./colours";

export type { Scale, Series } from "./aligned";

export interface Mark {
  x: number;
  label: string;
}

interface Props {
  /** What the chart shows, for those who do not see it. */
  label: string;
  series: Series[];
  xLabel: string;
  scale?: Scale;
  height?: number;
  marks?: Mark[];
  /** Part of x that is shown; null shows all. */
  range?: [number, number] | null;
  /** Called when the reader zooms; null where all is to be seen. */
  onRange?: (range: [number, number] | null) => void;
  /** Charts of the same key move their cursors together. */
  syncKey?: string;
  formatX?: (value: number) => string;
  /** Names of series that are not drawn, where the caller remembers them; otherwise the chart does. */
  hidden?: readonly string[];
  onHidden?: (names: string[]) => void;
}

const DISTRIBUTION = { linear: 1, log: 3, arcsinh: 4 } as const;
const ZOOM = 2;
const WHEEL = 0.0015;

function options(props: Props, width: number, moved: (index: number | null) => void, marksNow: () => Mark[]): uPlot.Options {
  const { series, scale = "linear", height = 260, onRange, syncKey, xLabel, formatX = (value) => number(value, 7) } = props;
  const muted = colour("--muted");
  const grid = { stroke: colour("--grid"), width: 1 };
  const axis = { stroke: muted, grid, ticks: { show: false }, font: `12px ${colour("--font")}`, labelFont: `12px ${colour("--font")}` };
  const drawn: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  series.forEach((one, index) => {
    const look = seriesLook(one.look ?? index);
    if (one.min && one.max) {
      const low = drawn.length;
      drawn.push({ show: true, stroke: "transparent", points: { show: false } }, { show: true, stroke: "transparent", points: { show: false } });
      bands.push({ series: [low + 1, low], fill: `${look.colour}26` });
    }
    drawn.push({
      label: one.name,
      stroke: one.isFaint ? `${look.colour}59` : look.colour,
      width: one.isFaint ? 1 : 1.75,
      dash: look.dash,
      spanGaps: true,
      points: { show: (plot) => plot.data[0].length === 1, size: 6, fill: look.colour },
    });
  });
  return {
    width,
    height,
    series: drawn,
    bands,
    legend: { show: false },
    scales: { x: { time: false }, y: { distr: DISTRIBUTION[scale], asinh: 0.01 } },
    axes: [
      { ...axis, label: xLabel, labelSize: 20, size: 32, values: (_, splits) => splits.map(formatX) },
      { ...axis, size: 64, values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))) },
    ],
    cursor: {
      ...(syncKey ? { sync: { key: syncKey, setSeries: false } } : {}),
      drag: { x: onRange !== undefined, y: false, setScale: false },
      points: { size: 6 },
    },
    hooks: {
      setCursor: [(plot) => moved(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          onRange?.([plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x")]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      draw: [
        (plot) => {
          for (const mark of marksNow()) {
            const x = plot.valToPos(mark.x, "x", true);
            if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
            const { ctx } = plot;
            ctx.save();
            ctx.strokeStyle = muted;
            ctx.fillStyle = muted;
            ctx.setLineDash([4, 4]);
            ctx.beginPath();
            ctx.moveTo(x, plot.bbox.top);
            ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
            ctx.stroke();
            ctx.font = `${12 * devicePixelRatio}px ${colour("--font")}`;
            const isRight = x > plot.bbox.left + plot.bbox.width * 0.7;
            ctx.textAlign = isRight ? "right" : "left";
            ctx.fillText(mark.label, x + (isRight ? -6 : 6) * devicePixelRatio, plot.bbox.top + 14 * devicePixelRatio);
            ctx.restore();
          }
        },
      ],
    },
  };
}

export function Line(props: Props) {
  const { label, series, scale = "linear", range = null, onRange, xLabel, formatX = (value: number) => number(value, 7) } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [ownHidden, setOwnHidden] = useState<readonly string[]>([]);
  const hiddenNames = props.hidden ?? ownHidden;
  const hiddenKey = hiddenNames.join("\n");
  const hidden = useMemo(() => new Set(hiddenNames), [hiddenKey]);
  const [cursor, setCursor] = useState<number | null>(null);
  const shown = series.filter((one) => !hidden.has(one.name));
  const aligned = useMemo(() => align(shown, scale), [series, hidden, scale]);
  const wasDark = isDark.value;
  const form = JSON.stringify([shown.map((one) => [one.name, one.look, one.isFaint, Boolean(one.min)]), scale, props.height, xLabel, wasDark, language.value]);
  const place = useRef<Props>(props);
  place.current = { ...props, series: shown };

  useEffect(() => {
    const element = frame.current as HTMLDivElement;
    const current: Props = {
      ...place.current,
      onRange: onRange && ((chosen) => place.current.onRange?.(chosen)),
    };
    const made = new uPlot(options(current, element.clientWidth || 600, (index) => isSeen.current && setCursor(index), () => place.current.marks ?? []), [aligned.x, ...aligned.columns] as uPlot.AlignedData, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height: made.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [form]);

  // What the plot is to show; drawn while it is on the screen, or once it comes there.
  const drawn = useRef<{ plot: uPlot; aligned: typeof aligned } | null>(null);
  const isSeen = useRef(true);
  const wanted = useRef({ aligned, range });
  wanted.current = { aligned, range };
  const draw = () => {
    const made = plot.current;
    if (!made || !isSeen.current) return;
    const now = wanted.current;
    const isSame = drawn.current?.plot === made && drawn.current.aligned === now.aligned;
    made.batch(() => {
      if (!isSame || now.range === null) made.setData([now.aligned.x, ...now.aligned.columns] as uPlot.AlignedData, now.range === null);
      if (now.range !== null) made.setScale("x", { min: now.range[0], max: now.range[1] });
    });
    drawn.current = { plot: made, aligned: now.aligned };
  };
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        isSeen.current = entries.at(-1)?.isIntersecting ?? true;
        draw();
      },
      { rootMargin: "100px" },
    );
    observer.observe(frame.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);
  useEffect(draw, [aligned, range?.[0], range?.[1], form]);

  const marksKey = JSON.stringify(props.marks);
  useEffect(() => plot.current?.redraw(false), [marksKey]);

  /** Show `factor` times as much around `centre`, which stays in its place, moved by `shift` of what is shown. */
  const move = (factor: number, centre: number | null, shift = 0) => {
    const x = aligned.x;
    if (!onRange || x.length < 2) return;
    onRange(zoomed([x[0] as number, x[x.length - 1] as number], range, factor, centre, shift));
  };
  const zoom = (factor: number) => move(factor, cursor === null ? null : (aligned.x[cursor] as number));
  const turned = (event: WheelEvent) => {
    const made = plot.current;
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (!made || !onRange || (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY))) return;
    event.preventDefault();
    if (event.ctrlKey) move(Math.exp(event.deltaY * WHEEL), made.posToVal(event.clientX - made.over.getBoundingClientRect().left, "x"));
    else if (range) move(1, null, sideways * WHEEL);
  };

  const pressed = (event: KeyboardEvent) => {
    const made = plot.current;
    if (!made) return;
    if (event.key === "+" || event.key === "=") zoom(1 / ZOOM);
    else if (event.key === "-") zoom(ZOOM);
    else if (event.key === "0") onRange?.(null);
    else if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) move(1, null, event.key === "ArrowRight" ? 0.25 : -0.25);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const next = Math.min(aligned.x.length - 1, Math.max(0, (cursor ?? -1) + (event.key === "ArrowRight" ? 1 : -1)));
      made.setCursor({ left: made.valToPos(aligned.x[next] as number, "x"), top: 10 });
    } else return;
    event.preventDefault();
  };

  const toggle = (name: string) => {
    const next = hidden.has(name) ? hiddenNames.filter((each) => each !== name) : [...hiddenNames, name];
    (props.onHidden ?? setOwnHidden)(next);
  };

  let column = -1;
  const columnOf = new Map(shown.map((one) => [one.name, (column += one.min && one.max ? 3 : 1)]));
  return (
    <div class="line-chart">
      <div class="plot" ref={frame} role="img" aria-label={label} tabIndex={0} onKeyDown={pressed} onWheel={turned} onDblClick={() => onRange?.(null)} />
      <ul class="legend">
        {cursor !== null && aligned.x[cursor] !== undefined && (
          <li class="legend-x">
            {xLabel} <output>{formatX(aligned.x[cursor] as number)}</output>
          </li>
        )}
        {series.map((one, index) => {
          const look = seriesLook(one.look ?? index);
          const at = columnOf.get(one.name);
          const value = cursor !== null && at !== undefined ? aligned.columns[at]?.[cursor] : undefined;
          return (
            <li key={one.name}>
              <button type="button" class="legend-item" aria-pressed={!hidden.has(one.name)} onClick={() => toggle(one.name)}>
                <svg width="18" height="8" aria-hidden="true">
                  <line x1="0" x2="18" y1="4" y2="4" stroke={look.colour} stroke-width="2.5" stroke-dasharray={look.dash.join(" ")} opacity={one.isFaint ? 0.4 : 1} />
                </svg>
                {one.name}
                {value !== undefined && value !== null && <output>{number(value, 5)}</output>}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
