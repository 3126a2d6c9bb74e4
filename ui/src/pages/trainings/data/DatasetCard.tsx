import { Box, Card, CardActionArea, Typography } from "@mui/material";
import { Link } from "react-router";
import { useDatasetFiles } from "../../../api/datasets";
import type { Dataset } from "../../../api/types";
import { bytes } from "../../../numbers";
import { useTrainingsText } from "../../../text/trainings";
import { ClassBalance } from "../charts/ClassBalance";
import { datasetLabel } from "./datasetLabel";
import { ReadingLine } from "./ReadingLine";

const SAMPLES = 5;

/** A data set at a glance: some of its pictures, how much there is of each class, and how it fares. */
export function DatasetCard({ dataset }: { dataset: Dataset }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const uploaded = dataset.origin === "uploaded";
  const refused = dataset.files - dataset.images;
  const label = datasetLabel(dataset, text);
  const state =
    dataset.state === "failed"
      ? words.failed
      : dataset.status === "disabled"
        ? words.disabled
        : uploaded
          ? null
          : words.live;
  return (
    <Card component="li" sx={{ opacity: dataset.status === "disabled" ? 0.72 : 1 }}>
      <CardActionArea
        component={Link}
        to={`/trainings/data/${dataset.uuid}`}
        sx={{
          height: "100%",
          display: "flex",
          flexDirection: "column",
          alignItems: "stretch",
          justifyContent: "flex-start",
        }}
      >
        {uploaded && dataset.images > 0 && <Strip dataset={dataset} />}
        <Box sx={{ p: 2.25, display: "grid", gap: 1.5 }}>
          <Box>
            <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
              <Typography variant="h4" component="h3" sx={{ flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
                {label}
              </Typography>
              {state && (
                <Box
                  component="span"
                  sx={{
                    px: 1,
                    py: 0.25,
                    borderRadius: 99,
                    typography: "body2",
                    fontWeight: 600,
                    whiteSpace: "nowrap",
                    bgcolor: dataset.state === "failed" ? "secondary.light" : "action.selected",
                  }}
                >
                  {state}
                </Box>
              )}
            </Box>
            <Typography variant="body2" color="textSecondary">
              {[
                dataset.state === "failed" ? null : text.trainings.pictures(dataset.images),
                uploaded && dataset.image_bytes > 0 ? bytes(dataset.image_bytes, text.language) : null,
                refused > 0 && uploaded ? words.leftOut(refused) : null,
              ]
                .filter(Boolean)
                .join(" · ")}
            </Typography>
          </Box>
          {dataset.state === "failed" ? (
            <Typography variant="body2" color="secondary" sx={{ overflowWrap: "anywhere" }}>
              {dataset.reason}
            </Typography>
          ) : (
            <>
              <ReadingLine dataset={dataset} />
              <ClassBalance classes={dataset.classes} small />
            </>
          )}
        </Box>
      </CardActionArea>
    </Card>
  );
}

function Strip({ dataset }: { dataset: Dataset }) {
  const { data } = useDatasetFiles(
    dataset.uuid,
    "kept",
    dataset.images >= SAMPLES ? "some" : String(dataset.images),
    SAMPLES,
  );
  const files = data?.pages[0]?.files ?? [];
  return (
    <Box
      aria-hidden
      sx={{ display: "grid", gridTemplateColumns: `repeat(${SAMPLES}, 1fr)`, gap: "2px", bgcolor: "action.hover" }}
    >
      {Array.from({ length: SAMPLES }, (_, n) => {
        const file = files[n];
        return (
          <Box key={n} sx={{ aspectRatio: "1", bgcolor: "action.hover" }}>
            {file?.url && (
              <img
                src={`${file.url}?width=128`}
                alt=""
                loading="lazy"
                width={128}
                height={128}
                style={{ display: "block", width: "100%", height: "100%", objectFit: "cover" }}
              />
            )}
          </Box>
        );
      })}
    </Box>
  );
}
