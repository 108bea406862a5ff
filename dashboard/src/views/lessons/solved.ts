/** Which exercises the reader has solved, by lesson and seed: remembered in this browser. */
const STORED = "vidro.lessons";

function all(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export const isSolved = (name: string, seed: number): boolean => all().includes(`${name} ${seed}`);

export function remember(name: string, seed: number): void {
  if (!isSolved(name, seed)) localStorage.setItem(STORED, JSON.stringify([...all(), `${name} ${seed}`].slice(-1000)));
}
