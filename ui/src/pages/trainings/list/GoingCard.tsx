import { Box, Card, Link as MuiLink, Skeleton, Typography } from "@mui/material";
import { Suspense } from "react";
import { Link } from "react-router";
import type { Training } from "../../../api/types";
import { soon } from "../../../components/soon";
import { useTrainingsText } from "../../../text/trainings";
import { kindOf } from "../kind";
import { ProgressLine } from "../ProgressLine";
import { StatusChip } from "../StatusChip";
import { TrainingActs } from "../TrainingActs";

const LiveCurves = soon(async () => (await import("../training/LiveCurves")).LiveCurves);

/** A training that goes on: how far it is, its curves while it learns, and what can be done with it. */
export function GoingCard({ training }: { training: Training }) {
  const text = useTrainingsText();
  const words = text.trainings.list;
  const runs = training.status === "running";
  return (
    <Card component="article" aria-label={training.label} sx={{ p: { xs: 2, sm: 3 } }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: 2, rowGap: 1 }}>
        <Box sx={{ flex: "1 1 220px", minWidth: 0 }}>
          <MuiLink
            component={Link}
            to={`/trainings/${training.uuid}`}
            color="textPrimary"
            underline="hover"
            variant="h3"
            sx={{ overflowWrap: "anywhere" }}
          >
            {training.label}
          </MuiLink>
          <Typography variant="body2" color="textSecondary">
            {[
              text.trainings.kinds[kindOf(training)],
              training.architecture,
              training.model_version > 1 ? words.version(training.model_version) : null,
              training.queue_position ? words.place(training.queue_position) : null,
            ]
              .filter(Boolean)
              .join(" · ")}
          </Typography>
        </Box>
        <Box sx={{ display: "flex", alignItems: "center", gap: 1.5 }}>
          <StatusChip training={training} />
          <TrainingActs training={training} />
        </Box>
      </Box>
      {(runs || training.progress) && (
        <Box sx={{ mt: 2 }}>
          <ProgressLine training={training} />
        </Box>
      )}
      {runs && training.reason && (
        <Typography variant="body2" sx={{ mt: 1 }}>
          {training.reason}
        </Typography>
      )}
      {runs && training.progress?.phase === "training" && (
        <Box sx={{ mt: 2.5 }}>
          <Suspense fallback={<Skeleton variant="rounded" height={220} />}>
            <LiveCurves uuid={training.uuid} />
          </Suspense>
        </Box>
      )}
    </Card>
  );
}
