import { Box, Skeleton, Typography } from "@mui/material";
import { useTraining } from "../../../api/trainings";
import { useTrainingsText } from "../../../text/trainings";
import { Curves } from "./Curves";
import { Samples } from "./Samples";

/** The curves of a training that runs, as they grow. */
export function LiveCurves({ uuid }: { uuid: string }) {
  const text = useTrainingsText();
  const { data: training } = useTraining(uuid);
  if (!training) return <Skeleton variant="rounded" sx={{ height: 190, borderRadius: 3 }} />;
  if (training.curves.length === 0) {
    return (
      <Typography variant="body2" color="textSecondary">
        {text.trainings.training.noCurves}
      </Typography>
    );
  }
  const latest = training.samples.at(-1);
  return (
    <Box
      sx={{ display: "grid", gap: 3, gridTemplateColumns: latest ? { md: "minmax(0, 1fr) 260px" } : "minmax(0, 1fr)" }}
    >
      <Curves training={training} height={150} />
      {latest && <Samples training={training} latestOnly />}
    </Box>
  );
}
