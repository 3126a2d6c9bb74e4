import { Alert, AlertTitle, Box, Card, Skeleton, Typography } from "@mui/material";
import { useNavigate } from "react-router";
import { useTraining } from "../../../api/trainings";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { BackLink } from "../BackLink";
import { kindOf } from "../kind";
import { ProgressLine } from "../ProgressLine";
import { StatusChip } from "../StatusChip";
import { TrainingActs } from "../TrainingActs";
import { Curves } from "./Curves";
import { DetectorResult } from "./DetectorResult";
import { GeneratorResult } from "./GeneratorResult";
import { Log } from "./Log";
import { Samples } from "./Samples";
import { Service } from "./Service";
import { SettingsTable } from "./SettingsTable";

/** All of one training: first what came of it, then how it went, then what was asked for. */
export function TrainingView({ uuid }: { uuid: string }) {
  const text = useTrainingsText();
  const words = text.trainings.training;
  const navigate = useNavigate();
  const { data: training, error, refetch } = useTraining(uuid);

  if (!training) {
    return (
      <>
        <BackLink to="/trainings">{words.back}</BackLink>
        {error ? (
          <ProblemAlert page error={error} onRetry={() => void refetch()} />
        ) : (
          <Box role="status" aria-label={text.trainings.loading}>
            <Skeleton variant="text" sx={{ width: "min(380px, 80%)", height: 52 }} />
            <Skeleton variant="rounded" sx={{ height: 300, borderRadius: 5, mt: 2 }} />
          </Box>
        )}
      </>
    );
  }
  const done = training.status === "done";
  const voting = training.architecture === "Voting";
  return (
    <>
      <title>{`${training.label} · VisionLab`}</title>
      <BackLink to="/trainings">{words.back}</BackLink>
      <Box
        sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: 2, rowGap: 1, mb: { xs: 3, md: 4 } }}
      >
        <Box sx={{ flex: "1 1 260px", minWidth: 0 }}>
          <Typography variant="h2" component="h1" sx={{ overflowWrap: "anywhere" }}>
            {training.label}
          </Typography>
          <Typography color="textSecondary">
            {[
              text.trainings.kinds[kindOf(training)],
              training.architecture,
              text.trainings.list.version(training.model_version),
            ].join(" · ")}
          </Typography>
        </Box>
        <Box sx={{ display: "flex", alignItems: "center", gap: 1.5 }}>
          <StatusChip training={training} />
          <TrainingActs training={training} onRemoved={() => void navigate("/trainings")} />
        </Box>
      </Box>
      <Box sx={{ display: "grid", gap: 3 }}>
        {training.reason && (
          <Alert severity={training.status === "failed" ? "error" : "warning"}>
            <AlertTitle>
              {training.status === "failed" ? words.failed : training.status === "pending" ? words.waits : words.says}
            </AlertTitle>
            <Box sx={{ overflowWrap: "anywhere" }}>{training.reason}</Box>
          </Alert>
        )}
        {!done && training.status !== "failed" && (
          <Card sx={{ p: { xs: 2, sm: 3 } }}>
            {training.queue_position ? (
              <Typography>{text.trainings.list.place(training.queue_position)}</Typography>
            ) : (
              <ProgressLine training={training} />
            )}
          </Card>
        )}
        {done && <Service training={training} />}
        {done && training.type === "detector" && <DetectorResult training={training} />}
        {done && training.type === "generator" && <GeneratorResult training={training} />}
        {!voting && (training.curves.length > 0 || training.samples.length > 0 || !done) && (
          <Card component="section" aria-labelledby="curves-heading" sx={{ p: { xs: 2, sm: 3 } }}>
            <Typography variant="h3" component="h2" id="curves-heading" sx={{ mb: 2 }}>
              {words.curves}
            </Typography>
            <Box
              sx={{
                display: "grid",
                gap: { xs: 4, md: 5 },
                gridTemplateColumns: {
                  xs: "minmax(0, 1fr)",
                  md: training.type === "generator" ? "repeat(2, minmax(0, 1fr))" : "minmax(0, 1fr)",
                },
              }}
            >
              {training.curves.length > 0 ? (
                <Curves training={training} whole />
              ) : (
                <Typography color="textSecondary">{words.noCurves}</Typography>
              )}
              {training.type === "generator" && <Samples training={training} />}
            </Box>
          </Card>
        )}
        <SettingsTable training={training} />
        <Log training={training} />
      </Box>
    </>
  );
}
