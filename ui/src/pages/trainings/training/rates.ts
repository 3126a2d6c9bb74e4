import { FACE_CLASSES } from "../../../api/types";

/** Share of real faces that are called generated, or of generated ones that are called real; null: there are none. */
export function rateOf(confusion: readonly (readonly number[])[], which: "accused" | "missed"): number | null {
  let wrong = 0;
  let all = 0;
  FACE_CLASSES.forEach((is, i) => {
    if (isGenerated(is) !== (which === "missed")) return;
    FACE_CLASSES.forEach((called, j) => {
      const images = confusion[i]?.[j] ?? 0;
      all += images;
      if (isGenerated(called) !== isGenerated(is)) wrong += images;
    });
  });
  return all > 0 ? wrong / all : null;
}

function isGenerated(faceClass: string): boolean {
  return faceClass.endsWith("_gen");
}
