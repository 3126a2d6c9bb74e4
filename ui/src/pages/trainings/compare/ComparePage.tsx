import { Area } from "../Area";
import { Compare } from "./Compare";

export function Component() {
  return (
    <Area>
      <Compare />
    </Area>
  );
}
