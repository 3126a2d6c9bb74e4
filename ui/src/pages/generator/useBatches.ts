import { useState } from "react";
import { useGenerate } from "../../api/images";
import { useModels } from "../../api/models";
import { useSettings } from "../../api/status";
import type { Model } from "../../api/types";
import { problemText } from "../../components/problemText";
import { usePreference } from "../../preferences";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";

/** The most that one press may make; the same bound as that of the setting. */
export const LARGEST_BATCH = 20;

export interface Batches {
  models: Model[] | undefined;
  modelsError: unknown;
  retryModels: () => void;
  /** uuids of the chosen models that exist */
  chosen: string[];
  toggleModel: (uuid: string) => void;
  variety: number;
  setVariety: (variety: number) => void;
  size: number;
  setSize: (size: number) => void;
  /** The operator has set the batch size to 0. */
  switchedOff: boolean;
  /** Whether a press would make something. */
  ready: boolean;
  generate: () => void;
  /** Faces that were asked for and are not here yet. */
  arriving: number;
  error: unknown;
}

/** What '+' makes: the choice of models, variety and size, and the batches under way. More than one may be. */
export function useBatches(): Batches {
  const { data: models, error: modelsError, refetch } = useModels("generator");
  const { data: settings } = useSettings();
  const [wanted, setWanted] = usePreference<string[] | null>("generator.models", null);
  const [variety, setVariety] = usePreference("generator.variety", 1);
  const [ownSize, setSize] = usePreference<number | null>("generator.batch", null);
  const [arriving, setArriving] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const { mutateAsync } = useGenerate();
  const text = useText();
  const say = useNotice();

  const chosen = chosenModels(models ?? [], wanted);
  const switchedOff = settings?.images_per_batch === 0;
  const size = ownSize ?? Math.max(1, settings?.images_per_batch ?? 10);
  const ready = chosen.length > 0 && !switchedOff;

  const generate = () => {
    if (!ready) return;
    setError(null);
    setArriving((n) => n + size);
    mutateAsync({ models: chosen, count: size, truncation: variety })
      .catch((problem: unknown) => {
        setError(problem);
        // The person may be far down in the gallery, out of sight of the recipe.
        say(problemText(problem, text).detail, "error");
      })
      .finally(() => setArriving((n) => n - size));
  };
  const toggleModel = (uuid: string) => {
    setWanted(chosen.includes(uuid) ? chosen.filter((other) => other !== uuid) : [...chosen, uuid]);
  };
  return {
    models,
    modelsError,
    retryModels: () => void refetch(),
    chosen,
    toggleModel,
    variety,
    setVariety,
    size,
    setSize,
    switchedOff,
    ready,
    generate,
    arriving,
    error,
  };
}

/** The remembered choice, less the models that are gone; all of them on the first visit. */
export function chosenModels(models: Pick<Model, "uuid">[], wanted: string[] | null): string[] {
  const uuids = models.map((model) => model.uuid);
  if (wanted === null) return uuids;
  const left = uuids.filter((uuid) => wanted.includes(uuid));
  // Where every remembered model was removed, the old choice says nothing any more.
  return left.length === 0 && wanted.length > 0 ? uuids : left;
}
