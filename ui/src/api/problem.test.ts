import { describe, expect, it } from "vitest";
import { NoAnswer, ProblemError, isPassing, retryAfterSeconds, waitBeforeRetry } from "./problem";

const withRetryAfter = (value: string) => new Response(null, { headers: { "Retry-After": value } });

describe("ProblemError", () => {
  it("says what the server said", () => {
    const error = new ProblemError({ title: "Busy", detail: "Try again in 2 seconds.", status: 503 }, 503, 2);
    expect(error.message).toBe("Try again in 2 seconds.");
    expect(error.problem?.title).toBe("Busy");
  });

  it("copes with an answer that is no problem document", () => {
    expect(new ProblemError("<html>Bad gateway</html>", 502).problem).toBeNull();
    expect(new ProblemError(undefined, 502).message).toBe("HTTP 502");
  });
});

describe("retries", () => {
  it("are for what passes by itself", () => {
    expect(isPassing(new ProblemError(null, 503))).toBe(true);
    expect(isPassing(new ProblemError(null, 429))).toBe(true);
    expect(isPassing(new NoAnswer(null))).toBe(true);
    expect(isPassing(new ProblemError(null, 415))).toBe(false);
    expect(isPassing(new Error("a bug"))).toBe(false);
  });

  it("wait as long as the server asks, else longer each time", () => {
    expect(waitBeforeRetry(3, new ProblemError(null, 503, 2))).toBe(2000);
    expect(waitBeforeRetry(0, new NoAnswer(null))).toBe(1000);
    expect(waitBeforeRetry(2, new NoAnswer(null))).toBe(4000);
    expect(waitBeforeRetry(9, new NoAnswer(null))).toBe(15000);
  });

  it("read Retry-After as seconds or as a date", () => {
    expect(retryAfterSeconds(withRetryAfter("7"))).toBe(7);
    expect(retryAfterSeconds(new Response())).toBeUndefined();
    expect(retryAfterSeconds(withRetryAfter("soon"))).toBeUndefined();
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    expect(retryAfterSeconds(withRetryAfter(inAMinute))).toBeCloseTo(60, -1);
  });
});
