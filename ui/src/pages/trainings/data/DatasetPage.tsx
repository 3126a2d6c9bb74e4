import { useParams } from "react-router";
import { TrainersOnly } from "../TrainersOnly";
import { DatasetView } from "./DatasetView";

export function Component() {
  const { uuid = "" } = useParams();
  return (
    <TrainersOnly scope="datasets">
      <DatasetView key={uuid} uuid={uuid} />
    </TrainersOnly>
  );
}
