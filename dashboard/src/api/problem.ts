/** A problem that the API answered with (RFC 9457), or that kept it from answering. */
export interface FieldProblem {
  pointer: string;
  detail: string;
}

export class Problem extends Error {
  constructor(
    /** The HTTP status; 0 where no answer came. */
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: FieldProblem[] = [],
  ) {
    super(detail || title);
  }

  /** What is wrong with the field at the JSON pointer, as in "/body/model/hidden"; undefined where nothing is. */
  at(pointer: string): string | undefined {
    return this.errors.find((error) => error.pointer === pointer || error.pointer === `/body${pointer}`)?.detail;
  }
}

/** The problem that a body of the API describes. */
export function problemOf(status: number, body: unknown): Problem {
  const given = (body ?? {}) as Partial<Problem> & { code?: string };
  return new Problem(status, given.code ?? "UNKNOWN", given.title ?? String(status), given.detail ?? "", given.errors ?? []);
}

/** Whatever was thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof TypeError) return new Problem(0, "UNREACHABLE", thrown.message, "");
  return new Problem(0, "UNKNOWN", String(thrown), "");
}
