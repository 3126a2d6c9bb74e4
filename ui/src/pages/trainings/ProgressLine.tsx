import { Box, LinearProgress, Typography } from "@mui/material";
import type { Training } from "../../api/types";
import { useTrainingsText } from "../../text/trainings";
import { duration } from "./format";

/** How far a training is: bar, phase, steps, what is left. */
export function ProgressLine({ training }: { training: Training }) {
  const text = useTrainingsText();
  const words = text.trainings.progress;
  const { progress } = training;
  const runs = training.status === "running";
  const share = progress && progress.steps > 0 ? progress.step / progress.steps : 0;
  // Preparing and packing take their time, and nobody knows how long.
  const unknown = runs && progress?.phase !== "training";
  const facts = progress
    ? [
        runs ? text.trainings.phases[progress.phase] : null,
        progress.steps > 0 ? words.step(progress.step, progress.steps) : null,
        runs && progress.phase === "training" && progress.seconds_left != null && progress.step > 0
          ? words.left(duration(progress.seconds_left, text))
          : null,
      ].filter((fact) => fact !== null)
    : [runs ? text.trainings.phases.preparing : words.notYet];
  return (
    <Box>
      <LinearProgress
        aria-label={words.bar(training.label)}
        variant={unknown ? "indeterminate" : "determinate"}
        {...(unknown ? {} : { value: share * 100 })}
        color={training.status === "failed" ? "secondary" : "primary"}
        sx={{ height: 8, borderRadius: 9, bgcolor: "action.selected", opacity: training.status === "paused" ? 0.6 : 1 }}
      />
      <Typography variant="body2" color="textSecondary" sx={{ mt: 1, fontVariantNumeric: "tabular-nums" }}>
        {facts.join(" · ")}
      </Typography>
    </Box>
  );
}
