import type { Verdict } from "../../api/types";
import type { Text } from "../../text";

/** What the robot says of a vote, in the page's language; the bounds are those of the server's own sentence. */
export function sentenceOf({ called, confidence }: Pick<Verdict, "called" | "confidence">, text: Text): string {
  const { looksLike, howSure } = text.detector;
  const sure =
    confidence >= 0.95
      ? howSure.very
      : confidence >= 0.8
        ? howSure.fairly
        : confidence >= 0.65
          ? howSure.little
          : howSure.barely;
  const space = text.language === "zh" ? "" : " ";
  return `${looksLike[called]}${space}${sure(Math.min(99, Math.round(confidence * 100)))}`;
}
