import { Box, Button, Card, Skeleton, Tooltip, Typography } from "@mui/material";
import { useDatasetFiles } from "../../../api/datasets";
import type { Dataset } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";

/** The pictures of a data set, some at a time. */
export function KeptGallery({ dataset }: { dataset: Dataset }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const version = dataset.state === "ready" ? "ready" : String(Math.min(dataset.images, 48));
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, isPending } = useDatasetFiles(
    dataset.uuid,
    "kept",
    version,
  );
  const files = data?.pages.flatMap((page) => page.files) ?? [];
  return (
    <Card component="section" aria-labelledby="kept-heading" sx={{ p: { xs: 2, sm: 3 } }}>
      <Typography variant="h3" component="h2" id="kept-heading" sx={{ mb: 2 }}>
        {words.gallery}
      </Typography>
      {error && !data && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      <Box
        component="ul"
        aria-labelledby="kept-heading"
        sx={{
          listStyle: "none",
          m: 0,
          p: 0,
          display: "grid",
          gap: 1,
          gridTemplateColumns: {
            xs: "repeat(auto-fill, minmax(72px, 1fr))",
            sm: "repeat(auto-fill, minmax(96px, 1fr))",
          },
        }}
      >
        {isPending &&
          Array.from({ length: 16 }, (_, n) => (
            <Skeleton key={n} component="li" variant="rounded" sx={{ aspectRatio: "1", height: "auto" }} />
          ))}
        {files.map((file) => (
          <Tooltip key={file.position} describeChild title={file.path}>
            <Box
              component="li"
              sx={{
                position: "relative",
                aspectRatio: "1",
                borderRadius: 2.5,
                overflow: "hidden",
                bgcolor: "action.hover",
              }}
            >
              {file.url && (
                <img
                  src={`${file.url}?width=128`}
                  alt={words.sample(file.path)}
                  loading="lazy"
                  decoding="async"
                  width={128}
                  height={128}
                  style={{ display: "block", width: "100%", height: "100%", objectFit: "cover" }}
                />
              )}
              {file.face_class && (
                <Box
                  sx={{
                    position: "absolute",
                    left: 4,
                    bottom: 4,
                    display: "flex",
                    p: 0.5,
                    borderRadius: 9,
                    bgcolor: "background.paper",
                  }}
                >
                  <FaceClassDot faceClass={file.face_class} size={9} />
                </Box>
              )}
            </Box>
          </Tooltip>
        ))}
      </Box>
      {hasNextPage && (
        <Button variant="outlined" onClick={() => void fetchNextPage()} loading={isFetchingNextPage} sx={{ mt: 2 }}>
          {words.moreFiles}
        </Button>
      )}
    </Card>
  );
}
