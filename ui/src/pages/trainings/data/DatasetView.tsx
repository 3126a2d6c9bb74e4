import { Alert, AlertTitle, Box, Button, Card, Skeleton, Typography } from "@mui/material";
import { Link } from "react-router";
import { isUsable, useDataset } from "../../../api/datasets";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { bytes, moment } from "../../../numbers";
import { useTrainingsText } from "../../../text/trainings";
import { BackLink } from "../BackLink";
import { ClassBalance } from "../charts/ClassBalance";
import { SizeHistogram } from "../charts/SizeHistogram";
import { DatasetActs } from "./DatasetActs";
import { datasetLabel } from "./datasetLabel";
import { FateList } from "./FateList";
import { KeptGallery } from "./KeptGallery";
import { ReadingLine } from "./ReadingLine";
import { RefusedFiles } from "./RefusedFiles";

/** From so many times as many as the smallest class on, it is worth a word. */
const UNEVEN = 3;

/** All of a data set: classes, sizes, what became of each file, and its pictures. */
export function DatasetView({ uuid }: { uuid: string }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const { data: dataset, error, refetch } = useDataset(uuid);
  if (!dataset) {
    return (
      <>
        <BackLink to="/trainings/data">{words.back}</BackLink>
        {error ? (
          <ProblemAlert page error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton variant="rounded" sx={{ height: 320, borderRadius: 5 }} />
        )}
      </>
    );
  }
  const label = datasetLabel(dataset, text);
  const uploaded = dataset.origin === "uploaded";
  const counts = Object.entries(dataset.classes).sort(([, a], [, b]) => b - a);
  const [most] = counts;
  const least = counts.at(-1);
  const times = most && least && least[1] > 0 ? most[1] / least[1] : 1;
  return (
    <>
      <title>{`${label} · VisionLab`}</title>
      <BackLink to="/trainings/data">{words.back}</BackLink>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 2, mb: { xs: 3, md: 4 } }}>
        <Box sx={{ flex: "1 1 260px", minWidth: 0 }}>
          <Typography variant="h2" component="h1" sx={{ overflowWrap: "anywhere" }}>
            {label}
          </Typography>
          <Typography color="textSecondary">
            {uploaded
              ? [
                  dataset.name,
                  words.kept(dataset.images, dataset.files),
                  bytes(dataset.image_bytes, text.language),
                  words.made(moment(dataset.created_at, text.language)),
                ].join(" · ")
              : dataset.origin === "labelled"
                ? words.labelledHint
                : words.generatedHint}
          </Typography>
        </Box>
        <Box sx={{ display: "flex", gap: 1, alignItems: "center", flexWrap: "wrap" }}>
          {isUsable(dataset) && uploaded && (
            <Button component={Link} to={`/trainings/new?data=${dataset.uuid}`} variant="contained">
              {words.train}
            </Button>
          )}
          <DatasetActs dataset={dataset} />
        </Box>
      </Box>
      <Box sx={{ display: "grid", gap: 3 }}>
        {dataset.state === "failed" && (
          <Alert severity="error">
            <AlertTitle>{words.notRead}</AlertTitle>
            {dataset.reason}
          </Alert>
        )}
        <Box
          sx={{
            display: "grid",
            gap: 3,
            gridTemplateColumns: {
              xs: "minmax(0, 1fr)",
              md: uploaded ? "repeat(2, minmax(0, 1fr))" : "minmax(0, 1fr)",
            },
          }}
        >
          <Card sx={{ p: { xs: 2, sm: 3 }, display: "grid", gap: 2, alignContent: "start" }}>
            <Typography variant="h4" component="h2">
              {words.balance}
            </Typography>
            <ReadingLine dataset={dataset} />
            <ClassBalance classes={dataset.classes} />
            {times >= UNEVEN && most && dataset.type === "detector" && (
              <Typography variant="body2" color="textSecondary">
                {words.uneven(
                  text.face[most[0] as keyof typeof text.face].short,
                  times.toLocaleString(text.language, { maximumFractionDigits: 0 }),
                )}
              </Typography>
            )}
            {uploaded && <FateList fates={dataset.fates} />}
          </Card>
          {uploaded && (
            <Card sx={{ p: { xs: 2, sm: 3 } }}>
              <SizeHistogram sizes={dataset.sizes} />
            </Card>
          )}
        </Box>
        {uploaded && dataset.files > dataset.images && <RefusedFiles dataset={dataset} />}
        {uploaded && dataset.images > 0 && <KeptGallery dataset={dataset} />}
      </Box>
    </>
  );
}
