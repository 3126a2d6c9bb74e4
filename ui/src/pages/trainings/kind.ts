import type { Training } from "../../api/types";

export type Kind = "detector" | "generator" | "ensemble";

export function kindOf(training: Pick<Training, "type" | "ensemble">): Kind {
  return training.ensemble ? "ensemble" : training.type;
}

const ORDER = ["test", "unseen", "val"];

/** The splits that a model was judged on, the one that says most first. */
export function splitsOf(metrics: Record<string, unknown>): string[] {
  const rank = (split: string) => (ORDER.includes(split) ? ORDER.indexOf(split) : ORDER.length);
  return Object.keys(metrics).sort((a, b) => rank(a) - rank(b));
}
