/** A cost over two parameters as a map, with paths down it and a start that can be dragged. It knows no API. */
import { scaleLinear } from "d3-scale";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number } from "~/text/format";
import { landscapeText } from "~/text/landscape";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { lines, logLevels, standing, type Grid } from "./contours";
import { Dot, Handle, held, stepOf } from "./Handle";
import { placeOf } from "./nearest";
import { prepared, useWidth } from "./size";
import "./landscape.css";

export type Point = [number, number];

interface Props {
  label: string;
  grid: Grid;
  minima: Point[];
  paths: { name: string; points: Point[]; look?: number }[];
  /** Where the paths begin; null of a map without such a place. */
  start: Point | null;
  /** Called while the reader moves the start; without it the start stays. */
  onStart?: (start: Point) => void;
  xLabel?: string;
  yLabel?: string;
}

const TALLEST = 520;
const LIGHT = { low: [126, 160, 190], high: [252, 252, 252], line: "rgb(60 80 100 / 30%)" } as const;
const DARK = { low: [10, 13, 16], high: [62, 84, 102], line: "rgb(190 210 230 / 24%)" } as const;

export function Landscape({ label, grid: given, minima, paths, start, onStart, xLabel = "w₁", yLabel = "w₂" }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const text = landscapeText();
  const clip = useId();
  // The ground stands still under a start that is dragged, even if the cost is told over another part of the plane meanwhile.
  const [still, hold] = useState<Grid | null>(null);
  const grid = still ?? given;
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

  const moved = (px: number, py: number) => onStart?.([held(px, grid.x), held(py, grid.y)]);
  const dragged = (atX: number, atY: number) => moved(x.invert(atX), y.invert(atY));
  const pressed = (right: number, up: number) => moved(start![0] + right * stepOf(grid.x), start![1] + up * stepOf(grid.y));
  const drawn = (points: Point[]) => points.map(([px, py], place) => `${place ? "L" : "M"}${x(px).toFixed(1)},${y(py).toFixed(1)}`).join("");

  return (
    <div class="landscape">
      <div ref={frame} class="layers" style={{ height: `${height}px` }}>
        <canvas ref={canvas} aria-hidden="true" />
        {width > 0 && (
          <svg ref={svg} class="chart" width={width} height={height} role="group" aria-label={label}>
            <Axes x={x} y={y} width={width} height={height} xLabel={xLabel} yLabel={yLabel} hasGrid={false} />
            <clipPath id={clip}>
              <rect x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} />
            </clipPath>
            {onStart && <rect class="hit ground" x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} onClick={(event) => dragged(...placeOf(event, svg.current!))} />}
            <g clip-path={`url(#${clip})`} class="above">
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
            {start &&
              (onStart ? (
                <Handle x={x(start[0])} y={y(start[1])} label={text.start(xLabel, number(start[0]), yLabel, number(start[1]))} onDrag={dragged} onKey={pressed} onHold={(isHeld) => hold(isHeld ? given : null)} />
              ) : (
                <g class="handle still" transform={`translate(${x(start[0])},${y(start[1])})`}>
                  <Dot />
                </g>
              ))}
          </svg>
        )}
      </div>
      <p class="muted small">{[text.legend, start && text.startMark, minima.length > 0 && text.minimumMark].filter(Boolean).join(" ")}</p>
    </div>
  );
}
