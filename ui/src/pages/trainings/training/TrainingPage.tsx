import { useParams } from "react-router";
import { TrainersOnly } from "../TrainersOnly";
import { TrainingView } from "./TrainingView";

export function Component() {
  const { uuid = "" } = useParams();
  return (
    <TrainersOnly scope="trainings">
      <TrainingView key={uuid} uuid={uuid} />
    </TrainersOnly>
  );
}
