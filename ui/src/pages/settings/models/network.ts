import { limits } from "../../../api/limits";
import type { ModelOptions, ModelType, UploadedNetwork, WeightsOption } from "../../../api/types";
import type { Text } from "../../../text";

const takes = limits.UploadedNetwork;
export type NetworkField = keyof typeof takes;
/** What was typed, by the API's name of the field. */
export type NetworkValues = Partial<Record<NetworkField, string>>;

/** Not whole numbers. */
const REAL: readonly string[] = ["temperature", "mapping_learning_rate"];
const EVEN: readonly string[] = ["latent_size"];
/** The sides that a StyleGAN2 can have. */
export const STYLEGAN2_SIDES = ["32", "64", "128", "256"];

export function optionsOf(options: ModelOptions | undefined, type: ModelType): readonly WeightsOption[] {
  return (type === "detector" ? options?.detectors : options?.generators) ?? [];
}

/** The settings that an architecture has, in the API's order. */
export function fieldsOf(option: WeightsOption | undefined): NetworkField[] {
  return Object.keys(option?.network ?? {}).filter((name): name is NetworkField => name in takes);
}

/** What stands in the fields before anybody typed: what trainings build by default. */
export function defaultsOf(option: WeightsOption | undefined): NetworkValues {
  return Object.fromEntries(fieldsOf(option).map((field) => [field, String(option?.network[field])]));
}

/** The architecture that a file's name tells of, and what it is; the longest where several fit. */
export function architectureIn(
  filename: string,
  options: ModelOptions | undefined,
): { type: ModelType; name: string } | undefined {
  const plain = bare(filename);
  return (["detector", "generator"] as const)
    .flatMap((type) => optionsOf(options, type).map(({ name }) => ({ type, name })))
    .filter(({ name }) => plain.includes(bare(name)))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

/** What is wrong with what was typed, in words. An empty field has the default. */
export function networkFaults(
  option: WeightsOption | undefined,
  values: NetworkValues,
  text: Text,
): Partial<Record<NetworkField, string>> {
  const words = text.settings.upload;
  const faults: Partial<Record<NetworkField, string>> = {};
  for (const field of fieldsOf(option)) {
    const typed = values[field]?.trim() ?? "";
    if (typed === "") continue;
    const value = Number(typed);
    const limit: { minimum?: number; exclusiveMinimum?: number; maximum?: number } = takes[field];
    const least = field === "resolution" ? Math.max(limit.minimum ?? 0, option?.least_side ?? 0) : limit.minimum;
    const below = least !== undefined ? value < least : value <= (limit.exclusiveMinimum ?? -Infinity);
    if (Number.isNaN(value) || below || value > (limit.maximum ?? Infinity))
      faults[field] = words.between(least ?? limit.exclusiveMinimum ?? 0, limit.maximum ?? Infinity);
    else if (!REAL.includes(field) && !Number.isInteger(value)) faults[field] = words.whole;
    else if (EVEN.includes(field) && value % 2 !== 0) faults[field] = words.even;
  }
  return faults;
}

/** As the API takes it. */
export function networkOf(option: WeightsOption | undefined, values: NetworkValues): UploadedNetwork {
  const given = fieldsOf(option).flatMap((field) => {
    const typed = values[field]?.trim() ?? "";
    return typed === "" ? [] : [[field, Number(typed)] as const];
  });
  return Object.fromEntries(given);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
