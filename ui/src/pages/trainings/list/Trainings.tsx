import { Box, Button, Skeleton, Typography } from "@mui/material";
import { GraduationCap } from "lucide-react";
import { Link } from "react-router";
import { useDatasets } from "../../../api/datasets";
import { hasEnded } from "../../../api/trainings";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { EndedList } from "./EndedList";
import { FirstSteps } from "./FirstSteps";
import { GoingCard } from "./GoingCard";
import { QueueNotice } from "./QueueNotice";
import { useAllTrainings } from "./useAllTrainings";

/** Above what goes on, in the order of the queue; below what is finished. */
export function Trainings() {
  const text = useTrainingsText();
  const words = text.trainings.list;
  const { trainings, isPending, error, hasMore, isFetchingMore, more, again } = useAllTrainings();
  const detectorData = useDatasets("detector");
  const generatorData = useDatasets("generator");

  if (error) return <ProblemAlert error={error} onRetry={again} />;
  if (isPending) {
    return (
      <Box role="status" aria-label={text.trainings.loading} sx={{ display: "grid", gap: 2 }}>
        <Skeleton variant="rounded" sx={{ height: 220, borderRadius: 5 }} />
        <Skeleton variant="rounded" sx={{ height: 76, borderRadius: 4 }} />
        <Skeleton variant="rounded" sx={{ height: 76, borderRadius: 4 }} />
      </Box>
    );
  }
  if (trainings.length === 0) {
    const data = [...(detectorData.data ?? []), ...(generatorData.data ?? [])];
    if (!data.some(({ origin }) => origin === "uploaded")) return <FirstSteps />;
    return (
      <EmptyState icon={GraduationCap} title={words.emptyTitle} detail={words.empty}>
        <Button component={Link} to="/trainings/new" variant="contained" size="large">
          {text.trainings.newTraining}
        </Button>
      </EmptyState>
    );
  }
  const rank = { running: 0, pending: 1, paused: 2, done: 3, failed: 3 };
  const going = trainings
    .filter((each) => !hasEnded(each))
    .sort((a, b) => rank[a.status] - rank[b.status] || (a.queue_position ?? 0) - (b.queue_position ?? 0));
  return (
    <Box sx={{ display: "grid", gap: { xs: 4, md: 5 } }}>
      {going.length > 0 && (
        <Box component="section" aria-labelledby="going-heading">
          <Typography variant="h3" component="h2" id="going-heading" sx={{ mb: 2 }}>
            {words.going}
          </Typography>
          <QueueNotice trainings={going} />
          <Box sx={{ display: "grid", gap: 2 }}>
            {going.map((training) => (
              <GoingCard key={training.uuid} training={training} />
            ))}
          </Box>
        </Box>
      )}
      <EndedList trainings={trainings.filter(hasEnded)} hasMore={hasMore} loading={isFetchingMore} onMore={more} />
    </Box>
  );
}
