import { Area } from "../Area";
import { DataSets } from "./DataSets";

export function Component() {
  return (
    <Area>
      <DataSets />
    </Area>
  );
}
