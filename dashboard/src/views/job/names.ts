import { jobText } from "~/text/job";

/** What a curve or metric is called in the reader's language. */
export function nameOf(name: string): string {
  const names = jobText().names as Record<string, string>;
  const plain = name.replaceAll("_", " ");
  return names[name] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}
