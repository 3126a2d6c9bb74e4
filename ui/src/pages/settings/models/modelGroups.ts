import type { Model } from "../../../api/types";

/** A model with its versions. */
export interface ModelGroup {
  uuid: string;
  /** newest first */
  versions: [Model, ...Model[]];
  /** The one that people mean by the model's name: the newest in service, or the newest. */
  shown: Model;
  /** newest first */
  enabled: Model[];
}

/** The versions of each model together, models in the order in which they came. */
export function groupModels(models: readonly Model[]): ModelGroup[] {
  const byUuid = new Map<string, Model[]>();
  for (const model of models) byUuid.set(model.uuid, [...(byUuid.get(model.uuid) ?? []), model]);
  return [...byUuid].flatMap(([uuid, all]) => {
    const [newest, ...older] = all.toSorted((a, b) => b.version - a.version);
    if (!newest) return [];
    const versions: [Model, ...Model[]] = [newest, ...older];
    const enabled = versions.filter((version) => version.status === "enabled");
    return [{ uuid, versions, shown: enabled[0] ?? newest, enabled }];
  });
}

/** The ensembles that stand on a model. */
export function ensemblesOn(group: ModelGroup, all: readonly ModelGroup[]): ModelGroup[] {
  return all.filter((other) => other.versions.some((version) => version.base_models.includes(group.uuid)));
}
