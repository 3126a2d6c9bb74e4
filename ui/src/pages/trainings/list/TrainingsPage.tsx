import { Area } from "../Area";
import { Trainings } from "./Trainings";

export function Component() {
  return (
    <Area>
      <Trainings />
    </Area>
  );
}
