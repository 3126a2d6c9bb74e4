import type { Curve } from "../../../api/types";
import type { TrainingsText } from "../../../text/trainings";
import type { Line } from "../charts/LineChart";

const LOSSES = ["loss", "generator", "discriminator", "val_loss"];
const ACCURACIES = ["accuracy", "val_accuracy"];
const KEPT_ASIDE = ["val_accuracy", "val_loss", "discriminator"];

/** The curves that everyone should see, and the others, which experts ask for. */
export function chartsOf(
  curves: readonly Curve[],
  text: TrainingsText,
): { loss: Line[]; accuracy: Line[]; other: Line[] } {
  const line = ({ name, points }: Curve): Line => ({
    name: text.trainings.training.series[name] ?? name.replaceAll("_", " "),
    points,
    colour: KEPT_ASIDE.includes(name) ? "secondary.main" : "primary.main",
    dashed: KEPT_ASIDE.includes(name),
  });
  const those = (names: readonly string[]) => curves.filter(({ name }) => names.includes(name)).map(line);
  return {
    loss: those(LOSSES),
    accuracy: those(ACCURACIES),
    other: curves.filter(({ name }) => !LOSSES.includes(name) && !ACCURACIES.includes(name)).map(line),
  };
}
