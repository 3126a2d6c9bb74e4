import { Box, LinearProgress, Typography } from "@mui/material";
import { isBeingRead } from "../../../api/datasets";
import type { Dataset } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";

/** How far a data set has been read; nothing where it has. */
export function ReadingLine({ dataset }: { dataset: Dataset }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  if (!isBeingRead(dataset)) return null;
  const waits = dataset.state === "pending";
  return (
    <Box>
      <LinearProgress
        aria-label={waits ? words.pending : words.reading}
        variant={waits ? "indeterminate" : "determinate"}
        {...(waits ? {} : { value: dataset.progress * 100 })}
        sx={{ height: 6, borderRadius: 9, bgcolor: "action.selected" }}
      />
      <Typography variant="body2" color="textSecondary" sx={{ mt: 0.75 }}>
        {waits ? words.pending : words.read(percent(dataset.progress, text.language, 0), dataset.files)}
      </Typography>
      {dataset.reason && <Typography variant="body2">{dataset.reason}</Typography>}
    </Box>
  );
}
