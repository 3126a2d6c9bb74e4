import type { Problem } from "./types";

/** The server answered that something is wrong (RFC 9457). */
export class ProblemError extends Error {
  readonly status: number;
  readonly retryAfter: number | undefined;
  /** Null where something before the server answered, which does not speak problem+json. */
  readonly problem: Problem | null;

  constructor(body: unknown, status: number, retryAfter?: number) {
    const problem = isProblem(body) ? body : null;
    super(problem?.detail ?? `HTTP ${status}`);
    this.name = "ProblemError";
    this.problem = problem;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The server could not be reached at all. */
export class NoAnswer extends Error {
  constructor(cause: unknown) {
    super("no answer", { cause });
    this.name = "NoAnswer";
  }
}

/** Worth another try by itself: the server is busy, starting, or away for a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswer) return true;
  return error instanceof ProblemError && [429, 502, 503, 504].includes(error.status);
}

/** Milliseconds to wait before try number `tries` + 1: what the server asked for, else 1, 2, 4 ... 15 s. */
export function waitBeforeRetry(tries: number, error: unknown): number {
  const asked = error instanceof ProblemError ? error.retryAfter : undefined;
  return asked === undefined ? Math.min(1000 * 2 ** tries, 15_000) : Math.min(asked, 60) * 1000;
}

/** Seconds of the Retry-After header, which may also be a date (RFC 9110, section 10.2.3). */
export function retryAfterSeconds(response: Response): number | undefined {
  const header = response.headers.get("Retry-After");
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "detail" in body && typeof body.detail === "string";
}
