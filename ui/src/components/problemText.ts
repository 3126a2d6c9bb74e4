import { NoAnswer, ProblemError } from "../api/problem";
import type { Text } from "../text";

/** An error as a person should read it. */
export function problemText(error: unknown, text: Text): { title: string; detail: string } {
  if (error instanceof NoAnswer) return { title: text.problem.title, detail: text.problem.noAnswer };
  if (error instanceof ProblemError) {
    const { problem, status } = error;
    return { title: problem?.title ?? text.problem.title, detail: problem?.detail ?? text.problem.unknown(status) };
  }
  return { title: text.problem.title, detail: text.problem.unexpected };
}
