/** A cost over two parameters as a map, with paths down it and a start that can be dragged. It knows no API. */
import { scaleLinear } from "d3-scale";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number } from "~/text/format";
import { landscapeText } from "~/text/landscape";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { lines, logLevels, standing, type Grid } from "./contours";
import { prepared, useWidth } from "./size";
import "./landscape.css";

export type Point = [number, number];

interface Props {
  label: string;
  grid: Grid;
  minima: Point[];
  paths: { name: string; points: Point[]; look?: number }[];
  start: Point;
  /** Called while the reader moves the start; without it the start stays. */
  onStart?: (start: Point) => void;
}

const TALLEST = 520;
const LIGHT = { low: [126, 160, 190], high: [252, 252, 252], line: "rgb(60 80 100 / 30%)" } as const;
const DARK = { low: [10, 13, 16], high: [62, 84, 102], line: "rgb(190 210 230 / 24%)" } as const;

export function Landscape({ label, grid, minima, paths, start, onStart }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const text = landscapeText();
  const dark = isDark.value;
  const height = Math.min(TALLEST, Math.max(260, width * 0.86));
  const ends = (axis: number[]): Point => [axis[0]!, axis[axis.length - 1]!];
  const [x, y] = useMemo(
    () => [scaleLinear(ends(grid.x), [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]), scaleLinear(ends(grid.y), [height - MARGIN.bottom, MARGIN.top])] as const,
    [grid, width, height],
  );
  const levels = useMemo(() => logLevels(grid), [grid]);
  const rings = useMemo(() => lines(grid, levels), [grid, levels]);

  useEffect(() => {
    if (!canvas.current || width === 0) return;
    const look = dark ? DARK : LIGHT;
    const context = prepared(canvas.current, width, height);
    const [columns, rows] = [grid.x.length, grid.y.length];
    const picture = new ImageData(columns, rows);
    grid.values.forEach((row, r) =>
      row.forEach((value, c) => {
        const share = standing(levels, value);
        const at = ((rows - 1 - r) * columns + c) * 4;
        for (let k = 0; k < 3; k++) picture.data[at + k] = look.low[k]! + (look.high[k]! - look.low[k]!) * share;
        picture.data[at + 3] = 255;
      }),
    );
    const small = document.createElement("canvas");
    [small.width, small.height] = [columns, rows];
    small.getContext("2d")!.putImageData(picture, 0, 0);
    const box = [MARGIN.left, MARGIN.top, width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom] as const;
    context.imageSmoothingEnabled = true;
    context.drawImage(small, ...box);
    context.save();
    context.beginPath();
    context.rect(...box);
    context.clip();
    context.strokeStyle = look.line;
    context.lineWidth = 1;
    for (const { rings: ofLevel } of rings) {
      context.beginPath();
      for (const ring of ofLevel) ring.forEach(([px, py], place) => (place ? context.lineTo(x(px), y(py)) : context.moveTo(x(px), y(py))));
      context.stroke();
    }
    context.restore();
  }, [grid, levels, rings, width, height, dark]);

  const held = ([px, py]: Point): Point => [Math.min(grid.x.at(-1)!, Math.max(grid.x[0]!, px)), Math.min(grid.y.at(-1)!, Math.max(grid.y[0]!, py))];
  const move = (event: PointerEvent) => {
    const box = svg.current!.getBoundingClientRect();
    const round = (value: number) => Number(value.toPrecision(3));
    const [px, py] = held([x.invert(event.clientX - box.left), y.invert(event.clientY - box.top)]);
    onStart?.([round(px), round(py)]);
  };
  const taken = (event: PointerEvent) => {
    event.preventDefault();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    (event.currentTarget as SVGElement).focus();
  };
  const pressed = (event: KeyboardEvent) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || !onStart) return;
    event.preventDefault();
    const step = (axis: number[]) => ((axis.at(-1)! - axis[0]!) / 100) * (event.shiftKey ? 10 : 1);
    const [px, py] = held([start[0] + way[0]! * step(grid.x), start[1] + way[1]! * step(grid.y)]);
    onStart([Number(px.toFixed(6)), Number(py.toFixed(6))]);
  };
  const drawn = (points: Point[]) => points.map(([px, py], place) => `${place ? "L" : "M"}${x(px).toFixed(1)},${y(py).toFixed(1)}`).join("");

  return (
    <div class="landscape">
      <div ref={frame} class="layers" style={{ height: `${height}px` }}>
        <canvas ref={canvas} aria-hidden="true" />
        {width > 0 && (
          <svg ref={svg} class="chart" width={width} height={height} role="group" aria-label={label}>
            <Axes x={x} y={y} width={width} height={height} xLabel="w₁" yLabel="w₂" hasGrid={false} />
            <clipPath id="landscape-plot">
              <rect x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} />
            </clipPath>
            {onStart && <rect class="hit ground" x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} onClick={move as never} />}
            <g clip-path="url(#landscape-plot)" class="above">
              {minima.map(([px, py]) => (
                <path key={`${px} ${py}`} class="minimum" d={`M${x(px) - 7},${y(py)}h14M${x(px)},${y(py) - 7}v14`}>
                  <title>{text.minimum(number(px), number(py))}</title>
                </path>
              ))}
              {paths.map(({ name, points, look: place }, index) => {
                const look = seriesLook(place ?? index);
                const last = points[points.length - 1];
                return (
                  <g key={name}>
                    <path class="halo" d={drawn(points)} />
                    <path d={drawn(points)} fill="none" stroke={look.colour} stroke-width="2" stroke-dasharray={look.dash.join(" ")} stroke-linejoin="round" />
                    {last && <circle class="head" cx={x(last[0])} cy={y(last[1])} r="5" fill={look.colour} />}
                  </g>
                );
              })}
            </g>
            <g
              class="start"
              transform={`translate(${x(start[0])},${y(start[1])})`}
              {...(onStart
                ? {
                    role: "button" as const,
                    tabindex: 0, // SVG knows names in this case alone
                    "aria-label": text.start(number(start[0]), number(start[1])),
                    onPointerDown: taken,
                    onPointerMove: (event: PointerEvent) => event.buttons > 0 && move(event),
                    onKeyDown: pressed,
                  }
                : {})}
            >
              <circle class="grip" r="16" />
              <circle class="outer" r="8" />
              <circle class="inner" r="2.5" />
            </g>
          </svg>
        )}
      </div>
      <p class="muted small">{text.legend}</p>
    </div>
  );
}
