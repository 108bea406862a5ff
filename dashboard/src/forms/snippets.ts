/** A request as JSON, and as commands that can be copied and run as they stand. */
import { isObject, type Json } from "./values";

export function asJson(value: Json): string {
  return JSON.stringify(value, null, 2);
}

/** Text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The value as Python writes it. */
export function pythonLiteral(value: Json, indent = ""): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const entries = isObject(value)
    ? Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${pythonLiteral(entry, deeper)}`)
    : value.map((entry) => pythonLiteral(entry, deeper));
  const [open, close] = isObject(value) ? ["{", "}"] : ["[", "]"];
  const line = `${open}${entries.join(", ")}${close}`;
  if (line.length + indent.length <= 80 && !line.includes("\n")) return line;
  return `${open}\n${entries.map((entry) => `${deeper}${entry},\n`).join("")}${indent}${close}`;
}

/** How a key is passed on where the API asks for one: from the environment, never from the page. */
const KEY = "VIDRO_KEY";

export function asCurl(url: string, body: Json, hasKey: boolean): string {
  const lines = [`curl ${shellWord(url)}`, `-H ${shellWord("Content-Type: application/json")}`];
  if (hasKey) lines.push(`-H "Authorization: Bearer $${KEY}"`);
  lines.push(`-d ${shellWord(asJson(body))}`);
  return lines.join(" \\\n  ");
}

export function asPython(url: string, body: Json, hasKey: boolean): string {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  const given = hasKey ? `${pythonLiteral(headers)} | {"Authorization": "Bearer " + os.environ[${JSON.stringify(KEY)}]}` : pythonLiteral(headers);
  return [
    `import json${hasKey ? "\nimport os" : ""}`,
    "from urllib.request import Request, urlopen",
    "",
    `body = ${pythonLiteral(body)}`,
    `headers = ${given}`,
    `request = Request(${JSON.stringify(url)}, json.dumps(body).encode(), headers)`,
    "with urlopen(request) as answer:",
    '    job = json.load(answer)',
    'print(job["id"], job["state"])',
    "",
  ].join("\n");
}
