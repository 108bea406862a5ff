/** A bar in a cell of a table, on one scale with those of the other rows. */
interface Props {
  /** What the width stands for. */
  scale: [number, number];
  from: number;
  to: number;
  /** How far the end may lie to either side. */
  spread?: number;
}

export function Bar({ scale: [low, high], from, to, spread = 0 }: Props) {
  const at = (value: number) => `${((100 * (value - low)) / (high - low || 1)).toFixed(2)}%`;
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return (
    <svg class="cell-bar" width="100%" height="18" aria-hidden="true">
      <rect class={to < from ? "falls" : "rises"} x={at(left)} width={at(low + right - left)} y="3" height="12" />
      {spread > 0 && <line class="whisker" x1={at(to - spread)} x2={at(to + spread)} y1="9" y2="9" />}
      {low < 0 && high > 0 && <line class="zero" x1={at(0)} x2={at(0)} y1="0" y2="18" />}
    </svg>
  );
}

/** The least and the greatest of numbers, and 0. */
export function scaleOf(values: number[]): [number, number] {
  return [Math.min(0, ...values.filter(Number.isFinite)), Math.max(0, ...values.filter(Number.isFinite))];
}
