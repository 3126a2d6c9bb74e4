import { limits } from "../../../api/limits";
import { FACE_CLASSES, type TrainingOptions } from "../../../api/types";
import type { TrainingsText } from "../../../text/trainings";
import { type Form, leastSide } from "./form";

const takes = limits.TrainingRequest;
/** What the API refuses to train on (`services/training_orders.py`). */
const LEAST_OF_A_CLASS = 5;
const LEAST_IMAGES = 12;

/** What is wrong, in words, by the API's name of the field. */
export type Faults = Partial<Record<keyof typeof takes, string>>;

/** All that can be known to be refused before it is sent. `classes`: images of each class in what was chosen. */
export function faultsOf(
  form: Form,
  classes: Record<string, number>,
  options: TrainingOptions,
  text: TrainingsText,
): Faults {
  const words = text.trainings.wizard;
  const faults: Faults = {};
  const number = (field: NumberField, typed: string, factor = 1, whole = true) => {
    const fault = numberFault(field, typed, text, factor, whole);
    if (fault) faults[field] = fault;
  };
  number("max_epochs", form.epochs);
  number("batch_size", form.batch);
  number("seed", form.seed);
  number("gpus", form.gpus);
  if (form.learningRate.trim()) number("learning_rate", form.learningRate, 1, false);
  if (form.kind !== "generator") {
    number("patience", form.patience);
    number("test_fraction", form.test, 100, false);
  }
  if (form.kind !== "ensemble") {
    number("resolution", form.resolution);
    const side = Number(form.resolution);
    const least = leastSide(options, form);
    if (!faults.resolution && form.kind === "detector" && side < least)
      faults.resolution = words.tooFine(form.architecture, least);
    if (form.architecture === "DCGAN" && side !== 128) faults.resolution = words.only128;
    if (form.architecture === "StyleGAN2" && ![32, 64, 128, 256].includes(side)) faults.resolution = words.sides;
    if (form.architecture === "StyleGAN2" && !faults.batch_size && Number(form.batch) % 4 !== 0)
      faults.batch_size = words.ofFour;
  }
  if (form.kind === "ensemble" && form.bases.length < 2) faults.base_models = words.basesHint;
  if (form.name && !form.model && !new RegExp(takes.name.pattern).test(form.name)) faults.name = words.badName;
  if (form.label.trim().length > takes.label.maxLength) faults.label = words.tooLong(takes.label.maxLength);
  if (!form.licence.trim()) faults.licence = words.needed;
  else if (form.licence.length > takes.licence.maxLength) faults.licence = words.tooLong(takes.licence.maxLength);
  const missing = picturesFault(form, classes, text);
  if (missing) faults.datasets = missing;
  return faults;
}

/** Why nothing can be learnt from what was chosen; null: something can. */
export function picturesFault(form: Form, classes: Record<string, number>, text: TrainingsText): string | null {
  const words = text.trainings.wizard;
  const all = Object.values(classes).reduce((sum, n) => sum + n, 0);
  if (form.kind === "generator") {
    if ((classes[form.faceClass] ?? 0) >= LEAST_IMAGES) return null;
    return all === 0 ? words.chooseSome : words.few(text.face[form.faceClass].short, LEAST_IMAGES);
  }
  if (all === 0) return words.chooseSome;
  const there = FACE_CLASSES.filter((each) => (classes[each] ?? 0) > 0);
  if (there.length < 2) return words.missingOne;
  const few = there.filter((each) => (classes[each] ?? 0) < LEAST_OF_A_CLASS);
  if (few.length > 0) return words.few(few.map((each) => text.face[each].short).join(", "), LEAST_OF_A_CLASS);
  return all < LEAST_IMAGES ? words.fewAll(LEAST_IMAGES) : null;
}

type NumberField =
  "max_epochs" | "batch_size" | "seed" | "gpus" | "patience" | "test_fraction" | "resolution" | "learning_rate";

interface Range {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** @param factor what is typed is so many times what is sent */
function numberFault(
  field: NumberField,
  typed: string,
  text: TrainingsText,
  factor: number,
  whole: boolean,
): string | null {
  const words = text.trainings.wizard;
  const range: Range = takes[field];
  const value = Number(typed.trim());
  if (typed.trim() === "") return words.needed;
  if (!Number.isFinite(value)) return words.number;
  if (whole && !Number.isInteger(value)) return words.whole;
  const least = range.minimum ?? range.exclusiveMinimum ?? -Infinity;
  const most = range.maximum ?? (range.exclusiveMaximum === undefined ? Infinity : range.exclusiveMaximum - 1);
  const sent = value / factor;
  const say = (n: number) => (n * factor).toLocaleString(text.language, { maximumFractionDigits: 6 });
  if (sent > most || sent < least || (range.exclusiveMinimum !== undefined && sent <= range.exclusiveMinimum)) {
    return range.exclusiveMinimum === undefined
      ? words.between(say(least), say(most))
      : words.above(say(least), say(most));
  }
  return null;
}
