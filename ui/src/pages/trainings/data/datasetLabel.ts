import type { Dataset } from "../../../api/types";
import type { TrainingsText } from "../../../text/trainings";

/** What people read: their own title, or for those that grow by themselves ours. */
export function datasetLabel(dataset: Dataset, text: TrainingsText): string {
  if (dataset.origin === "labelled") return text.trainings.data.labelled;
  if (dataset.origin === "generated") return text.trainings.data.generated;
  return dataset.label;
}
