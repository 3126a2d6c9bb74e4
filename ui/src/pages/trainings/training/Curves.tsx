import { Box } from "@mui/material";
import type { TrainingDetail } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { LineChart } from "../charts/LineChart";
import { percent } from "../format";
import { chartsOf } from "./curves";

interface CurvesProps {
  training: TrainingDetail;
  height?: number;
  /** With what they mean, and those for experts. */
  whole?: boolean;
}

/** Loss and accuracy over the steps. */
export function Curves({ training, height = 210, whole = false }: CurvesProps) {
  const text = useTrainingsText();
  const words = text.trainings.training;
  const { loss, accuracy, other } = chartsOf(training.curves, text);
  const steps = training.status === "done" ? undefined : training.progress?.steps;
  const gan = training.type === "generator";
  const share = (value: number) => percent(value, text.language, 0);
  return (
    <Box
      sx={{
        display: "grid",
        gap: { xs: 3, md: 4 },
        gridTemplateColumns: {
          xs: "minmax(0, 1fr)",
          md: accuracy.length > 0 ? "repeat(2, minmax(0, 1fr))" : "minmax(0, 1fr)",
        },
      }}
    >
      {accuracy.length > 0 && (
        <LineChart
          title={words.accuracy}
          {...(whole && { hint: words.accuracyHint })}
          lines={accuracy}
          steps={steps}
          height={height}
          range={[0, 1]}
          format={share}
        />
      )}
      {loss.length > 0 && (
        <LineChart
          title={gan ? words.lossGan : words.loss}
          {...(whole && { hint: gan ? words.lossGanHint : words.lossHint })}
          lines={loss}
          steps={steps}
          height={height}
        />
      )}
      {whole &&
        other.map((line) => <LineChart key={line.name} title={line.name} lines={[line]} steps={steps} height={130} />)}
    </Box>
  );
}
