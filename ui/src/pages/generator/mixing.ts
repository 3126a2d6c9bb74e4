import { useModels } from "../../api/models";
import type { Image, Model } from "../../api/types";

/** Whether the same version of one generator made both. */
export function madeAlike(one: Image, other: Image): boolean {
  return (
    one.how_made != null &&
    one.how_made.model_uuid === other.how_made?.model_uuid &&
    one.how_made.model_version === other.how_made.model_version
  );
}

/** Whether the generator that made a face is in service and mixes styles. */
export function useMixes(): (image: Image) => boolean {
  const { data } = useModels("generator");
  return (image) => mixes(image, data ?? []);
}

export function mixes(image: Image, models: Pick<Model, "uuid" | "version" | "mixes_styles">[]): boolean {
  const made = image.how_made;
  return models.some(
    ({ uuid, version, mixes_styles }) => mixes_styles && uuid === made?.model_uuid && version === made.model_version,
  );
}
