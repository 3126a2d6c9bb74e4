import type { Image } from "../../api/types";
import type { Text } from "../../text";

/** What a generated face is called for those who do not see it. */
export function nameOf(image: Image, text: Text): string {
  return image.how_made ? text.generator.face(image.how_made.model_label, image.how_made.seed) : image.uuid;
}
