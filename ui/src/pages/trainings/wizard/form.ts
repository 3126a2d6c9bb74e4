import { limits } from "../../../api/limits";
import type { Dataset, Model, Training, TrainingOptions, TrainingRequest } from "../../../api/types";
import { type Kind, kindOf } from "../kind";

const takes = limits.TrainingRequest;

/** What a person has said so far. Numbers are as they were typed. */
export interface Form {
  kind: Kind;
  architecture: string;
  method: "stacking" | "voting";
  bases: string[];
  faceClass: "human" | "anime";
  datasets: string[];
  includeUploaded: boolean;
  includeGenerated: boolean;
  /** uuid of the model whose next version it becomes; null: a new model */
  model: string | null;
  /** Empty: `nameFor` finds one. */
  name: string;
  label: string;
  preset: TrainingRequest["preset"];
  weights: TrainingRequest["weights"];
  epochs: string;
  batch: string;
  resolution: string;
  patience: string;
  learningRate: string;
  /** In percent. */
  test: string;
  seed: string;
  gpus: string;
  backend: TrainingRequest["backend"];
  licence: string;
}

export const STEPS = ["what", "pictures", "settings", "review"] as const;
export type Step = (typeof STEPS)[number];

const FIRST_DETECTOR = "EfficientNetLite0";
/** A GAN wants to see every picture often. */
const GAN_EPOCHS = 100;
/** A batch of a small network, which leaves the eyes as they are. */
const ENSEMBLE_EPOCHS = 10;

export function freshForm(): Form {
  return {
    kind: "detector",
    architecture: FIRST_DETECTOR,
    method: "stacking",
    bases: [],
    faceClass: "human",
    datasets: [],
    includeUploaded: false,
    includeGenerated: false,
    model: null,
    name: "",
    label: "",
    preset: "robust",
    weights: weightsOf(FIRST_DETECTOR),
    epochs: String(takes.max_epochs.default),
    batch: String(takes.batch_size.default),
    resolution: "224",
    patience: String(takes.patience.default),
    learningRate: "",
    test: String(takes.test_fraction.default * 100),
    seed: String(takes.seed.default),
    gpus: String(takes.gpus.default),
    backend: takes.backend.default,
    licence: takes.licence.default,
  };
}

/** The form for another kind of model: what fits neither is set to what does. */
export function ofKind(form: Form, kind: Kind): Form {
  if (kind === form.kind) return form;
  const sameData = (kind === "generator") === (form.kind === "generator");
  return {
    ...form,
    kind,
    architecture: kind === "generator" ? "DCGAN" : kind === "detector" ? FIRST_DETECTOR : "",
    datasets: sameData ? form.datasets : [],
    includeGenerated: sameData && form.includeGenerated,
    model: null,
    epochs: String({ detector: takes.max_epochs.default, generator: GAN_EPOCHS, ensemble: ENSEMBLE_EPOCHS }[kind]),
    resolution: kind === "generator" ? "128" : "224",
    weights: kind === "detector" ? weightsOf(FIRST_DETECTOR) : "none",
  };
}

/** Those of one network come with what trains; of the others they are fetched, which a trainer without internet cannot do. */
function weightsOf(architecture: string): TrainingRequest["weights"] {
  return architecture === FIRST_DETECTOR ? "imagenet" : "none";
}

/** The form for another network. */
export function ofArchitecture(form: Form, architecture: string): Form {
  return {
    ...form,
    architecture,
    ...(form.kind === "detector" && { weights: weightsOf(architecture) }),
    ...(architecture === "DCGAN" && { resolution: "128" }),
  };
}

/** The form of an earlier training, to be changed. */
export function formOf(training: Training): Form {
  const { settings } = training;
  const kind = kindOf(training);
  return {
    ...ofKind(freshForm(), kind),
    architecture: training.ensemble ? "" : training.architecture,
    method: training.architecture === "Voting" ? "voting" : "stacking",
    bases: training.base_models,
    faceClass: settings.face_class === "anime" ? "anime" : "human",
    datasets: training.datasets.map(({ uuid }) => uuid),
    includeUploaded: settings.include_uploaded,
    includeGenerated: settings.include_generated,
    preset: settings.preset,
    weights: settings.weights,
    epochs: String(settings.max_epochs),
    batch: String(settings.batch_size),
    resolution: String(settings.resolution ?? (kind === "generator" ? 128 : 224)),
    patience: String(settings.patience),
    learningRate: settings.learning_rate === null ? "" : String(settings.learning_rate),
    test: String(Math.round(settings.test_fraction * 1000) / 10),
    seed: String(settings.seed),
    gpus: String(settings.gpus),
    backend: settings.backend,
    licence: settings.licence,
  };
}

/** A name that no model has yet. */
export function nameFor(form: Form, models: readonly Model[]): string {
  const base = {
    detector: form.architecture,
    generator: `${form.architecture}-${form.faceClass}`,
    ensemble: form.method,
  }[form.kind]
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-");
  const taken = new Set(models.map(({ name }) => name));
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(name)) return name;
  }
}

export function requestOf(form: Form, name: string): TrainingRequest {
  const network = form.kind !== "ensemble";
  return {
    type: form.kind === "generator" ? "generator" : "detector",
    name,
    ...(form.label.trim() && { label: form.label.trim() }),
    ...(form.model && { model: form.model }),
    ...(network ? { architecture: form.architecture } : { ensemble: form.method }),
    base_models: network ? [] : form.bases,
    ...(form.kind === "generator" && { face_class: form.faceClass }),
    datasets: form.datasets,
    include_uploaded: form.includeUploaded,
    include_generated: form.includeGenerated,
    batch_size: Number(form.batch),
    max_epochs: Number(form.epochs),
    preset: form.kind === "generator" ? "original" : form.preset,
    ...(form.learningRate.trim() && { learning_rate: Number(form.learningRate) }),
    patience: form.kind === "generator" ? 0 : Number(form.patience),
    ...(network && { resolution: Number(form.resolution) }),
    weights: form.kind === "detector" ? form.weights : "none",
    test_fraction: Number(form.test) / 100,
    backend: form.backend,
    gpus: Number(form.gpus),
    seed: Number(form.seed),
    licence: form.licence.trim(),
  };
}

/** Images of each class in what was chosen. */
export function chosenClasses(form: Form, datasets: readonly Dataset[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const dataset of datasets) {
    const included =
      form.datasets.includes(dataset.uuid) ||
      (dataset.origin === "labelled" && form.includeUploaded) ||
      (dataset.origin === "generated" && form.includeGenerated);
    if (!included) continue;
    for (const [faceClass, images] of Object.entries(dataset.classes)) sum[faceClass] = (sum[faceClass] ?? 0) + images;
  }
  return sum;
}

/** Which step a field of the API is asked in. */
export function stepOfField(field: string | null | undefined): Step | null {
  if (!field) return null;
  const name = field.split(".")[0] ?? "";
  if (["architecture", "ensemble", "base_models", "face_class", "type"].includes(name)) return "what";
  if (["datasets", "include_uploaded", "include_generated"].includes(name)) return "pictures";
  return name in takes ? "settings" : null;
}

/** The smallest resolution that a network takes. */
export function leastSide(options: TrainingOptions, form: Form): number {
  const list = form.kind === "generator" ? options.generators : options.detectors;
  return list.find(({ name }) => name === form.architecture)?.least_side ?? takes.resolution.minimum;
}
