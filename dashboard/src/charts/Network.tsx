/**
 * A network: units as circles, weights as lines whose colour tells the sign and whose width tells the size. It knows no API.
 * One tab stop: arrow keys go from part to part, Enter chooses one.
 */
import { useRef, useState } from "preact/hooks";
import { integer, number } from "~/text/format";
import { networkText } from "~/text/network";
import { keyOf, place, type Column, type DrawnLayer, type Part, type Placed } from "./network";
import { useWidth } from "./size";
import "./network.css";

export { keyOf, partOf, type DrawnLayer, type Part } from "./network";

interface Props {
  /** What is drawn, for those who do not see it. */
  label: string;
  /** The names of the inputs, or how many there are. */
  inputs: string[] | number;
  layers: DrawnLayer[];
  /** What stands in a unit's circle; by default nothing. */
  unitText?: (layer: number, unit: number) => string;
  /** What stands beside a unit, such as its name. */
  unitName?: (layer: number, unit: number) => string;
  /** What stands on a line; by default its number. Lines are written on where few lead from layer to layer, or one of their ends is pointed at. */
  edgeText?: (part: Part) => string;
  /** A part said in words, for those who do not see it. */
  describe?: (part: Part) => string;
  /** Whether a part is in the light; by default all are. */
  highlighted?: (part: Part) => boolean;
  selected?: Part | null;
  onSelect?: (part: Part) => void;
  /** Called when a part is pointed at or has the focus; null when none is. */
  onPoint?: (part: Part | null) => void;
  /** Units of a layer that are drawn at most. */
  most?: number;
}

const LABELLED = 3;

export function Network(props: Props) {
  const { label, inputs, layers, unitText, unitName, edgeText, describe, highlighted = () => true, selected = null, onSelect, onPoint, most = 8 } = props;
  const [frame, width] = useWidth<HTMLDivElement>();
  const svg = useRef<SVGSVGElement>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const text = networkText();
  const names = typeof inputs === "number" ? null : inputs;
  const sizes = [names ? names.length : (inputs as number), ...layers.map((layer) => layer.units)];
  const isRoomy = Math.max(...sizes.map((units) => Math.min(units, most))) <= 4;
  const radius = width / sizes.length < 110 ? 19 : isRoomy ? 26 : 16;
  const spacing = isRoomy ? (layers.some((layer) => layer.bias) ? 118 : 104) : 46;
  const { columns, height } = place(sizes, most, width, spacing, radius + 30, 26);
  const largest = Math.max(Number.MIN_VALUE, ...layers.flatMap((layer) => (layer.weights ?? []).flat()).filter(Number.isFinite).map(Math.abs));
  const parts = partsOf(columns, layers);
  const chosen = selected ? keyOf(selected) : null;
  const reachable = parts.some((part) => keyOf(part) === (pointed ?? chosen)) ? (pointed ?? chosen) : parts[0] ? keyOf(parts[0]) : null;
  const isInteractive = Boolean(onSelect || onPoint);

  const point = (part: Part | null) => {
    setPointed(part && keyOf(part));
    onPoint?.(part);
  };
  const pressed = (event: KeyboardEvent) => {
    const at = parts.findIndex((part) => keyOf(part) === reachable);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = event.key === "Home" ? 0 : event.key === "End" ? parts.length - 1 : step === undefined ? null : Math.min(parts.length - 1, Math.max(0, at + step));
    if (next !== null) {
      const part = parts[next] as Part;
      svg.current?.querySelector<SVGElement>(`[data-part="${keyOf(part)}"]`)?.focus();
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) onSelect?.(parts[at] as Part);
    else return;
    event.preventDefault();
  };
  const control = (part: Part) => {
    const key = keyOf(part);
    const lit = highlighted(part);
    const classes = [lit ? "lit" : "dim", key === chosen ? "chosen" : "", key === pointed ? "pointed" : ""].join(" ");
    if (!isInteractive) return { class: classes, "data-part": key };
    return {
      class: classes,
      "data-part": key,
      role: "button" as const,
      "aria-pressed": key === chosen,
      "aria-label": describe?.(part) ?? key,
      tabindex: key === reachable ? 0 : -1, // SVG knows names in this case alone
      onPointerEnter: () => point(part),
      onPointerLeave: () => point(null),
      onFocus: () => point(part),
      onBlur: () => point(null),
      onClick: () => onSelect?.(part),
    };
  };
  const isNear = (part: Part & { kind: "weight" }) => {
    for (const key of [pointed, chosen]) {
      if (key === keyOf(part) || key === `unit.${part.layer}.${part.unit}` || key === `unit.${part.layer - 1}.${part.input}`) return true;
    }
    return false;
  };
  const elided = columns.map((column, layer) => ({ column, layer })).filter(({ column }) => column.gap);

  return (
    <div ref={frame} class="network">
      {width > 0 && (
        <svg ref={svg} width={width} height={height} role={isInteractive ? "group" : "img"} aria-label={label} onKeyDown={isInteractive ? pressed : undefined}>
          {layers.map((layer, index) => {
            const level = index + 1;
            const isWritten = isRoomy && sizes[index]! <= LABELLED && layer.units <= LABELLED;
            return (
              <g key={level}>
                {lines(columns, level).map(({ from, to }) => {
                  const part = { kind: "weight", layer: level, input: from.unit, unit: to.unit } as const;
                  const value = layer.weights?.[from.unit]?.[to.unit];
                  const at = labelPlace(from, to, radius);
                  const written = edgeText ? edgeText(part) : value === undefined ? "" : number(value, 3);
                  return (
                    <g key={keyOf(part)} {...control(part)}>
                      <line class="hit" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
                      <line class={`edge ${signOf(value)}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke-width={widthOf(value, largest)} />
                      {written && (isWritten || isNear(part)) && <Label x={at.x} y={at.y} text={written} />}
                    </g>
                  );
                })}
              </g>
            );
          })}
          {columns.map((column, layer) => (
            <g key={layer}>
              {layer > 0 && layers[layer - 1]!.activation && (
                <text class="over" x={column.placed[0]!.x} y={12} text-anchor="middle">
                  {layers[layer - 1]!.activation}
                </text>
              )}
              {column.gap && (
                <text class="gap" x={column.gap.x} y={column.gap.y} text-anchor="middle" dominant-baseline="central">
                  ⋮ {text.more(integer(column.gap.count))}
                </text>
              )}
              {column.placed.map(({ unit, x, y }) => {
                const bias = layer > 0 ? layers[layer - 1]!.bias?.[unit] : undefined;
                const name = names && layer === 0 ? names[unit] : unitName?.(layer, unit);
                return (
                  <g key={unit}>
                    <g {...control({ kind: "unit", layer, unit })}>
                      <circle class="unit" cx={x} cy={y} r={radius} />
                    </g>
                    {/* Beside the button, whose name says more than these. */}
                    <g class={control({ kind: "unit", layer, unit }).class} pointer-events="none" aria-hidden="true">
                      <text class="value" x={x} y={y} text-anchor="middle" dominant-baseline="central">
                        {unitText?.(layer, unit)}
                      </text>
                      {isRoomy && name && (
                        <text class="name" x={x} y={y - radius - 7} text-anchor="middle">
                          {name}
                        </text>
                      )}
                      {!isRoomy && name && layer === 0 && (
                        <text class="name" x={x - radius - 4} y={y} text-anchor="end" dominant-baseline="central">
                          {name.length > 6 ? `${name.slice(0, 5)}…` : name}
                        </text>
                      )}
                    </g>
                    {isRoomy && bias !== undefined && (
                      <g {...control({ kind: "bias", layer, unit })}>
                        <Label x={x} y={y + radius + 14} text={edgeText ? edgeText({ kind: "bias", layer, unit }) : `b ${number(bias, 3)}`} />
                      </g>
                    )}
                  </g>
                );
              })}
            </g>
          ))}
        </svg>
      )}
      <p class="network-legend">
        {layers.some((layer) => layer.weights) && (
          <>
            <span class="nowrap">
              <Key sign="positive" /> {text.positive}
            </span>{" "}
            <span class="nowrap">
              <Key sign="negative" /> {text.negative}
            </span>{" "}
            {text.legend}{" "}
          </>
        )}
        {elided.map(({ column, layer }) => text.elided(integer(column.placed.length), integer(sizes[layer]))).join(" ")} {isInteractive && text.keys}
      </p>
    </div>
  );
}

function Key({ sign }: { sign: string }) {
  return (
    <svg width="20" height="8" aria-hidden="true">
      <line class={`edge ${sign}`} x1="0" x2="20" y1="4" y2="4" stroke-width="3" />
    </svg>
  );
}

const CHARACTER = 6.6;

function Label({ x, y, text }: { x: number; y: number; text: string }) {
  const width = text.length * CHARACTER + 8;
  return (
    <>
      <rect class="label" x={x - width / 2} y={y - 9} width={width} height={18} rx={4} />
      <text class="on-edge" x={x} y={y} text-anchor="middle" dominant-baseline="central">
        {text}
      </text>
    </>
  );
}

const signOf = (value: number | undefined) => (value === undefined || value === 0 ? "none" : value > 0 ? "positive" : value < 0 ? "negative" : "none");
const widthOf = (value: number | undefined, largest: number) => (value === undefined || Number.isNaN(value) ? 1 : 1 + 5 * Math.min(1, Math.abs(value) / largest));

/** Not far from where a line begins, every other unit's farther off, so that the labels of crossing lines lie apart. */
function labelPlace(from: Placed, to: Placed, radius: number): { x: number; y: number } {
  const least = (radius + 26) / Math.max(1, to.x - from.x);
  const share = Math.min(Math.max(0.24, least) + (from.unit % 2) * 0.22, 1 - least);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function lines(columns: Column[], level: number): { from: Placed; to: Placed }[] {
  return columns[level - 1]!.placed.flatMap((from) => columns[level]!.placed.map((to) => ({ from, to })));
}

/** Every part that is drawn, layer by layer: the order of the arrow keys. */
function partsOf(columns: Column[], layers: DrawnLayer[]): Part[] {
  return columns.flatMap(({ placed }, layer): Part[] => [
    ...(layer === 0 ? [] : lines(columns, layer).map(({ from, to }): Part => ({ kind: "weight", layer, input: from.unit, unit: to.unit }))),
    ...placed.flatMap(({ unit }): Part[] => [{ kind: "unit", layer, unit }, ...(layer > 0 && layers[layer - 1]!.bias ? [{ kind: "bias", layer, unit } as const] : [])]),
  ]);
}
