import { isPassing, waitBeforeRetry } from "../../api/problem";

const TRIES = 4;

/** Calls again where the server is busy or away for a moment, after the time that it asks for. */
export async function askPatiently<T>(call: () => Promise<T>, wait: (ms: number) => Promise<void> = sleep): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries + 1 >= TRIES || !isPassing(error)) throw error;
      await wait(waitBeforeRetry(tries, error));
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
