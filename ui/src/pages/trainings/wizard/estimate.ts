import type { Training } from "../../../api/types";
import type { Form } from "./form";

/** Part of the pictures that is kept aside while a detector learns. */
const VALIDATION = 0.2;
const LEAST_FOR_A_TEST = 200;

export interface Estimate {
  seconds: number;
  /** Of so many earlier trainings. */
  of: number;
}

/**
 * How long a training takes, going by the speed of earlier ones of the same network at the same resolution; null where there
 * are none. It is the time of learning; the export follows.
 */
export function estimateOf(form: Form, images: number, trainings: readonly Training[]): Estimate | null {
  const name = form.kind === "ensemble" ? (form.method === "voting" ? "Voting" : "Stacking") : form.architecture;
  const side = Number(form.resolution);
  const type = form.kind === "generator" ? "generator" : "detector";
  const speeds = trainings.flatMap(({ type: its, architecture, settings, progress }) => {
    const same =
      its === type &&
      architecture === name &&
      (form.kind === "ensemble" || (settings.resolution ?? (type === "generator" ? 128 : 224)) === side);
    const steps = progress?.steps_per_second ?? 0;
    // Soon after its start a training is slow, as it is still being compiled.
    return same && steps > 0 && (progress?.step ?? 0) >= 20 ? [steps * settings.batch_size] : [];
  });
  if (speeds.length === 0) return null;
  speeds.sort((a, b) => a - b);
  const speed = speeds[Math.floor((speeds.length - 1) / 2)] ?? 1;
  const kept =
    type === "generator" ? 1 : (images >= LEAST_FOR_A_TEST ? 1 - Number(form.test) / 100 : 1) * (1 - VALIDATION);
  return { seconds: (images * kept * Number(form.epochs)) / speed, of: speeds.length };
}
