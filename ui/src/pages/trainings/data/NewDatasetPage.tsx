import { PageTitle } from "../../../components/PageTitle";
import { useTrainingsText } from "../../../text/trainings";
import { BackLink } from "../BackLink";
import { TrainersOnly } from "../TrainersOnly";
import { NewDataset } from "./NewDataset";

export function Component() {
  const words = useTrainingsText().trainings;
  return (
    <TrainersOnly scope="datasets">
      <BackLink to="/trainings/data">{words.upload.back}</BackLink>
      <PageTitle title={words.upload.title} lead={words.upload.lead} />
      <NewDataset />
    </TrainersOnly>
  );
}
