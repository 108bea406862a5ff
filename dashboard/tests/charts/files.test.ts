import { expect, it } from "vitest";
import { toCsv } from "~/charts/files";

it("quotes what would break a row, and writes numbers in full", () => {
  expect(toCsv({ columns: ["a,b", 'say "x"'], rows: [[1 / 3, null], ["line\nbreak", "plain"]] })).toBe(
    '"a,b","say ""x"""\r\n0.3333333333333333,\r\n"line\nbreak",plain\r\n',
  );
});
