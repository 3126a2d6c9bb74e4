import { Box, Typography } from "@mui/material";
import type { DetectorMetrics } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";

const MOST = 8;

/** How often it is right about the images of each source, the hardest first. */
export function Sources({ metrics }: { metrics: DetectorMetrics }) {
  const text = useTrainingsText();
  const words = text.trainings.result;
  const sources = Object.entries(metrics.sources)
    .sort(([, a], [, b]) => a.accuracy - b.accuracy)
    .slice(0, MOST);
  // Of one source or one a class, it is what the table says already.
  if (sources.length < 3) return null;
  return (
    <Box>
      <Typography variant="h4" component="h3">
        {words.sources}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
        {words.sourcesHint}
      </Typography>
      <Box component="ul" aria-label={words.sources} sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1 }}>
        {sources.map(([name, { face_class: faceClass, accuracy, support }]) => (
          <Box component="li" key={name} sx={{ typography: "body2" }}>
            <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
              <FaceClassDot faceClass={faceClass} />
              <Box component="span" sx={{ flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
                {name}
                <Box component="span" sx={{ color: "text.secondary" }}>
                  {` · ${text.trainings.pictures(support)}`}
                </Box>
              </Box>
              <Box component="span" sx={{ fontVariantNumeric: "tabular-nums", fontWeight: 600 }}>
                {percent(accuracy, text.language)}
              </Box>
            </Box>
            <Box aria-hidden sx={{ mt: 0.5, height: 6, borderRadius: 9, bgcolor: "action.hover" }}>
              <Box
                sx={{ height: "100%", borderRadius: 9, bgcolor: `face.${faceClass}` }}
                style={{ width: `${accuracy * 100}%` }}
              />
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
