import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { asCurl, asPython, pythonLiteral, shellWord } from "~/forms/snippets";
import type { Json } from "~/forms/values";

const BODY: Json = {
  dataset_id: "ds_1",
  target: `it's "quoted" \\ $HOME \`id\` %s`,
  features: ["a'b", "ção", "line\nbreak", "tab\t", "😀", "\u2028"],
  model: { kind: "mlp", hidden: [{ units: 8 }] },
  early_stopping: null,
  shuffle: false,
  bias: true,
  optimizer: { learning_rate: 1e-8, epsilon: 1e21 },
  tags: [],
  class_weight: {},
};

describe("what is copied", () => {
  it("is one word to a shell, whatever it holds", () => {
    for (const text of ["", "'", "''", "a b", `$(id) \`id\` "x" \\ ! *`, "line\nbreak"]) {
      expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
    }
  });

  it.each([false, true])("reaches curl as it was meant (key: %s)", (hasKey) => {
    const fake = `curl() { for word; do printf '%s\\0' "$word"; done; }\nVIDRO_KEY="a b"\n`;
    const words = execFileSync("sh", ["-c", fake + asCurl("http://h:1/v1/jobs?x='1'", BODY, hasKey)], { encoding: "utf8" }).split("\0");
    expect(words.slice(0, 3)).toEqual(["http://h:1/v1/jobs?x='1'", "-H", "Content-Type: application/json"]);
    expect(words.slice(3, -3)).toEqual(hasKey ? ["-H", "Authorization: Bearer a b"] : []);
    expect(words.at(-3)).toBe("-d");
    expect(JSON.parse(words.at(-2)!)).toEqual(BODY);
  });

  it.each([false, true])("reaches Python as it was meant (key: %s)", (hasKey) => {
    const code = asPython("http://h:1/v1/jobs", BODY, hasKey);
    const script = `import sys, urllib.request, io, json
def urlopen(request):
    print(json.dumps([request.full_url, request.headers, json.loads(request.data)]), file=sys.stderr)
    return io.StringIO('{"id": "job_1", "state": "queued"}')
urllib.request.urlopen = urlopen
`;
    const both = execFileSync("python3", ["-c", `${script}sys.stderr = sys.stdout\n${code}`], { encoding: "utf8", env: { ...process.env, VIDRO_KEY: "k" } });
    const [told, last] = both.trim().split("\n");
    const [url, headers, body] = JSON.parse(told!) as [string, Record<string, string>, Json];
    expect(url).toBe("http://h:1/v1/jobs");
    expect(headers).toEqual({ "Content-type": "application/json", ...(hasKey ? { Authorization: "Bearer k" } : {}) });
    expect(body).toEqual(BODY);
    expect(last).toBe("job_1 queued");
  });

  it("breaks long literals into lines", () => {
    expect(pythonLiteral({ a: [1, 2], b: "x".repeat(90) })).toBe(`{\n    "a": [1, 2],\n    "b": "${"x".repeat(90)}",\n}`);
  });
});
