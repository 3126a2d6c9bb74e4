import {
  type DetectorMetrics,
  FACE_CLASSES,
  type FaceClass,
  type GeneratorMetrics,
  type Model,
} from "../../../api/types";

/** By split, the one that says most first. */
const ORDER = ["test", "unseen", "held-out", "validation"];

export function detectorFigures(model: Pick<Model, "metrics">): [string, DetectorMetrics][] {
  return sorted(model).flatMap(([split, metrics]) => (metrics.kind === "detector" ? [[split, metrics]] : []));
}

export function generatorFigures(model: Pick<Model, "metrics">): [string, GeneratorMetrics][] {
  return sorted(model).flatMap(([split, metrics]) => (metrics.kind === "generator" ? [[split, metrics]] : []));
}

/** The class with the lowest F1, of those that the split has. */
export function weakestClass(metrics: DetectorMetrics): { faceClass: FaceClass; f1: number } | undefined {
  const found = FACE_CLASSES.flatMap((faceClass) => {
    const each = metrics.classes[faceClass];
    return each && each.support > 0 ? [{ faceClass, f1: each.f1 }] : [];
  });
  return found.toSorted((a, b) => a.f1 - b.f1)[0];
}

function sorted(model: Pick<Model, "metrics">) {
  const place = (split: string) => (ORDER.indexOf(split) + ORDER.length + 1) % (ORDER.length + 1);
  return Object.entries(model.metrics).toSorted(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}
