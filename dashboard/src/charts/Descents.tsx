/** Descents over the cost of two parameters, as the API tells them: a map with their paths for each scaling, or a curve. */
import { useMemo } from "preact/hooks";
import { toNumber } from "~/text/format";
import { descentsText } from "~/text/descents";
import { Curve } from "./Curve";
import { longest, pointsAt, type Answer } from "./descents";
import { Landscape, type Point } from "./Landscape";
import { Legend } from "./Paths";

interface Props {
  answer: Answer;
  /** What each path is called, in their order. */
  names: string[];
  /** How far the paths are shown, in steps of the longest; by default to their ends. */
  at?: number;
  /** Where the descents begin, while an answer is awaited; by default where those of the answer do. */
  start?: Point;
  /** Called while the reader moves the start; without it the start stays. */
  onStart?: (start: Point) => void;
  /** What a way of scaling is called, where there are several. */
  scalingName?: (kind: string) => string;
}

export function Descents(props: Props) {
  const { answer, names, at = longest(answer), onStart, scalingName = (kind) => kind } = props;
  const shown = pointsAt(answer, at);
  const start = props.start ?? ((answer.paths[0]?.points[0] ?? [0, 0]) as Point);
  const maps = answer.surfaces.map((surface, place) => ({
    surface,
    title: scalingName(surface.scaling.kind),
    paths: answer.paths.flatMap((path, index) => (path.surface === place ? [{ path, name: names[index] ?? "", look: index, last: shown[index]! }] : [])),
  }));
  return (
    <div>
      <div class={maps.length > 1 ? "bench even" : undefined}>
        {maps.map((map, place) => (
          <div key={place}>
            {maps.length > 1 && <h4>{map.title}</h4>}
            {answer.hold ? <OneParameter {...map} hold={answer.hold} start={start} onStart={onStart} /> : <TwoParameters {...map} start={start} onStart={onStart} />}
          </div>
        ))}
      </div>
      {names.length > 1 && <Legend names={names} />}
    </div>
  );
}

interface MapProps {
  surface: Answer["surfaces"][number];
  title: string;
  paths: { path: Answer["paths"][number]; name: string; look: number; last: number }[];
  start: Point;
  onStart?: (start: Point) => void;
}

function TwoParameters({ surface, title, paths, start, onStart }: MapProps) {
  const text = descentsText();
  const grid = useMemo(() => ({ x: surface.w, y: surface.b, values: surface.costs.map((row) => row.map(toNumber)) }), [surface]);
  return (
    <Landscape
      label={`${text.map}: ${title}`}
      grid={grid}
      minima={surface.minimum ? [surface.minimum.point.map(toNumber) as Point] : []}
      paths={paths.map(({ path, name, look, last }) => ({ name, look, points: path.points.slice(0, last + 1) as Point[] }))}
      start={start}
      onStart={onStart}
      xLabel="w"
      yLabel="b"
    />
  );
}

function OneParameter({ surface, title, paths, start, onStart, hold }: MapProps & { hold: "w" | "b" }) {
  const text = descentsText();
  const free = hold === "b" ? 0 : 1;
  const [x, y] = useMemo(() => (free === 0 ? [surface.w, surface.costs[0]!.map(toNumber)] : [surface.b, surface.costs.map((row) => toNumber(row[0]))]) as [number[], number[]], [surface, free]);
  const moved = (value: number): Point => (free === 0 ? [value, start[1]] : [start[0], value]);
  return (
    <Curve
      label={`${text.curve}: ${title}`}
      x={x}
      y={y}
      paths={paths.map(({ path, name, look, last }) => {
        const [slope, intercept] = path.tangents?.[last] ?? [];
        return {
          name,
          look,
          points: path.points.slice(0, last + 1).map((point, place) => ({ x: point[free]!, y: path.costs[place]! })),
          tangent: slope === undefined || intercept === undefined ? undefined : { slope: toNumber(slope), intercept: toNumber(intercept) },
        };
      })}
      xLabel={free === 0 ? "w" : "b"}
      yLabel="J"
      start={start[free]}
      onStart={onStart && ((value) => onStart(moved(value)))}
    />
  );
}
