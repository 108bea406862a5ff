/** "#rrggbb", or "#rgb" as a built style sheet shortens it, as red, green and blue from 0 to 255. */
export function parts(hex: string): [number, number, number] {
  const digits = hex.slice(1);
  const value = parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
