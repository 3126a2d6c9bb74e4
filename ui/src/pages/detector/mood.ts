import type { Verdict } from "../../api/types";

export type Mood = "idle" | "thinking" | "sure-real" | "sure-generated" | "unsure";

/** Below this the robot shrugs; the same bound as that of "I am fairly sure" in its sentence. */
const SURE = 0.8;

export function moodOf(verdict: Pick<Verdict, "confidence" | "generated">): Mood {
  if (verdict.confidence < SURE) return "unsure";
  return verdict.generated ? "sure-generated" : "sure-real";
}
