import { Box, Button, Card, Typography } from "@mui/material";
import { useDatasetFiles } from "../../../api/datasets";
import type { Dataset } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";

/** The files that were left out, each with the reason. */
export function RefusedFiles({ dataset }: { dataset: Dataset }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const refused = dataset.files - dataset.images;
  const version = `${dataset.state}-${Math.min(refused, 50)}`;
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useDatasetFiles(
    dataset.uuid,
    "refused",
    version,
    20,
  );
  const files = data?.pages.flatMap((page) => page.files) ?? [];
  return (
    <Card component="section" aria-labelledby="refused-heading" sx={{ p: { xs: 2, sm: 3 } }}>
      <Typography variant="h3" component="h2" id="refused-heading">
        {words.leftOut(refused)}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
        {words.problemsHint}
      </Typography>
      {error && !data && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      <Box component="ul" aria-labelledby="refused-heading" sx={{ listStyle: "none", m: 0, p: 0 }}>
        {files.map((file) => (
          <Box
            component="li"
            key={file.position}
            sx={{
              display: "grid",
              gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "minmax(0, 2fr) minmax(0, 3fr)" },
              columnGap: 3,
              py: 1,
              borderTop: 1,
              borderColor: "divider",
              typography: "body2",
            }}
          >
            <Box sx={{ fontWeight: 600, overflowWrap: "anywhere" }}>{file.path}</Box>
            <Box sx={{ color: "text.secondary" }}>{file.reason ?? words.fate[file.fate]}</Box>
          </Box>
        ))}
      </Box>
      {hasNextPage && (
        <Button
          variant="outlined"
          size="small"
          onClick={() => void fetchNextPage()}
          loading={isFetchingNextPage}
          sx={{ mt: 1.5 }}
        >
          {words.moreFiles}
        </Button>
      )}
    </Card>
  );
}
