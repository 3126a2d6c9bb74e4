import { Box, Button, Skeleton, Typography } from "@mui/material";
import { ImageUp } from "lucide-react";
import { Link } from "react-router";
import { type ModelType, useDatasets } from "../../../api/datasets";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { DatasetCard } from "./DatasetCard";

/** All data sets: those for detectors, then those for generators. */
export function DataSets() {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const lists = { detector: useDatasets("detector"), generator: useDatasets("generator") };
  const both = [lists.detector, lists.generator];
  const uploaded = both.flatMap(({ data }) => data ?? []).some(({ origin }) => origin === "uploaded");
  const failed = both.find(({ error, data }) => error && !data);
  if (failed) return <ProblemAlert error={failed.error} onRetry={() => void failed.refetch()} />;
  const loaded = both.every(({ data }) => data !== undefined);
  return (
    <Box sx={{ display: "grid", gap: { xs: 4, md: 6 } }}>
      {loaded && !uploaded && (
        <EmptyState icon={ImageUp} title={words.emptyTitle} detail={words.empty}>
          <Button component={Link} to="/trainings/data/new" variant="contained" size="large">
            {text.trainings.newData}
          </Button>
        </EmptyState>
      )}
      {(["detector", "generator"] as const).map((type) => (
        <Group key={type} type={type} list={lists[type]} />
      ))}
    </Box>
  );
}

function Group({ type, list }: { type: ModelType; list: ReturnType<typeof useDatasets> }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const id = `data-${type}`;
  const heading = type === "detector" ? words.forDetectors : words.forGenerators;
  // Those that grow by themselves come last, and where they hold nothing not at all.
  const shown = list.data
    ?.filter(
      ({ origin, images }) => origin === "uploaded" || (images > 0 && (origin === "labelled" || type === "detector")),
    )
    .sort((a, b) => Number(a.origin !== "uploaded") - Number(b.origin !== "uploaded"));
  if (shown?.length === 0) return null;
  return (
    <Box component="section" aria-labelledby={id}>
      <Typography variant="h3" component="h2" id={id}>
        {heading}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 2 }}>
        {type === "detector" ? words.forDetectorsHint : words.forGeneratorsHint}
      </Typography>
      <Box
        component="ul"
        aria-labelledby={id}
        sx={{
          listStyle: "none",
          m: 0,
          p: 0,
          display: "grid",
          gap: 2,
          gridTemplateColumns: "repeat(auto-fill, minmax(min(100%, 330px), 1fr))",
        }}
      >
        {shown
          ? shown.map((dataset) => <DatasetCard key={dataset.uuid} dataset={dataset} />)
          : Array.from({ length: 3 }, (_, n) => (
              <Box component="li" key={n}>
                <Skeleton variant="rounded" sx={{ height: 230, borderRadius: 5 }} />
              </Box>
            ))}
      </Box>
    </Box>
  );
}
