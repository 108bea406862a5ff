/** A point of a chart that is dragged, or moved with the arrow keys. It stands in the chart's SVG. */
interface Props {
  /** Where it is drawn, in pixels. */
  x: number;
  y: number;
  label: string;
  /** Called with the pixel that it is dragged to. */
  onDrag: (x: number, y: number) => void;
  /** Called with the way of an arrow key: right and up are 1; with Shift, 10. */
  onKey: (right: number, up: number) => void;
  /** Called when a drag begins, and when it ends. */
  onHold?: (isHeld: boolean) => void;
}

const WAYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** How far an arrow key leads along an axis. */
export const stepOf = (axis: number[]): number => Math.abs(axis[axis.length - 1]! - axis[0]!) / 100 || 1;

/** A number held within an axis, with no more digits than can be aimed at. */
export function held(value: number, axis: number[]): number {
  const digits = Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(stepOf(axis)))));
  return Number(Math.min(axis[axis.length - 1]!, Math.max(axis[0]!, value)).toFixed(digits));
}

export function Handle({ x, y, label, onDrag, onKey, onHold }: Props) {
  const taken = (event: PointerEvent) => {
    event.preventDefault();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    (event.currentTarget as SVGElement).focus();
    onHold?.(true);
  };
  const moved = (event: PointerEvent) => {
    if (event.buttons === 0) return;
    const box = (event.currentTarget as SVGElement).ownerSVGElement!.getBoundingClientRect();
    onDrag(event.clientX - box.left, event.clientY - box.top);
  };
  const pressed = (event: KeyboardEvent) => {
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    const size = event.shiftKey ? 10 : 1;
    onKey(way[0] * size, way[1] * size);
  };
  return (
    <g
      class="handle"
      transform={`translate(${x},${y})`}
      role="button"
      tabindex={0} // SVG knows names in this case alone
      aria-label={label}
      onPointerDown={taken}
      onPointerMove={moved}
      onLostPointerCapture={() => onHold?.(false)}
      onKeyDown={pressed}
    >
      <Dot />
    </g>
  );
}

/** The same point where it stays. */
export function Dot() {
  return (
    <>
      <circle class="grip" r="16" />
      <circle class="outer" r="8" />
      <circle class="inner" r="2.5" />
    </>
  );
}
