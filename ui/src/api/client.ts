import createClient from "openapi-fetch";
import { NoAnswer, ProblemError, retryAfterSeconds } from "./problem";
import type { paths } from "./schema";
import { tellSignInNeeded } from "./signInNeeded";

/** Typed calls to the API that serves this page. */
export const client = createClient<paths>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request),
});

interface Call<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The answer's body, or a thrown error that says what went wrong.
 *
 * @throws ProblemError where the server refused, NoAnswer where it could not be reached.
 */
export async function answer<T>(call: Promise<Call<T>>): Promise<T> {
  let done: Call<T>;
  try {
    done = await call;
  } catch (cause) {
    throw new NoAnswer(cause);
  }
  if (!done.response.ok) {
    const problem = new ProblemError(done.error, done.response.status, retryAfterSeconds(done.response));
    if (problem.problem?.type === "/problems/sign-in-needed") tellSignInNeeded();
    throw problem;
  }
  return done.data as T;
}
