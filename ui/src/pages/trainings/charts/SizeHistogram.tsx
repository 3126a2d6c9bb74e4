import { Box, Typography } from "@mui/material";
import type { Dataset } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";

/** The steps of the API's histogram, pixels; it tells of those that hold images alone. */
const STEPS = [0, 64, 128, 256, 512, 1024];

/** Images by their shorter side. */
export function SizeHistogram({ sizes: there }: { sizes: Dataset["sizes"] }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const images = new Map(there.map((step) => [step.least_side, step.images]));
  const sizes = STEPS.map((from) => ({ least_side: from, images: images.get(from) ?? 0 }));
  const most = Math.max(1, ...sizes.map(({ images }) => images));
  return (
    <Box>
      <Typography variant="h4" component="h2">
        {words.sizes}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
        {words.sizesHint}
      </Typography>
      <Box
        component="ul"
        aria-label={words.sizes}
        sx={{ listStyle: "none", m: 0, p: 0, display: "flex", alignItems: "flex-end", gap: 1 }}
      >
        {sizes.map(({ least_side: from, images }, n) => (
          <Box
            component="li"
            key={from}
            aria-label={words.sizeBin(from, sizes[n + 1]?.least_side ?? null, images)}
            sx={{ flex: 1, minWidth: 0, textAlign: "center", typography: "body2" }}
          >
            <Box
              aria-hidden
              sx={{
                fontVariantNumeric: "tabular-nums",
                fontWeight: 600,
                color: images ? "text.primary" : "text.secondary",
              }}
            >
              {images.toLocaleString(text.language, { notation: "compact" })}
            </Box>
            <Box aria-hidden sx={{ height: 96, display: "flex", alignItems: "flex-end" }}>
              <Box
                sx={{
                  width: "100%",
                  minHeight: 3,
                  borderRadius: 1.5,
                  bgcolor: images ? "primary.main" : "action.selected",
                  transition: "height .4s",
                }}
                style={{ height: `${(images / most) * 100}%` }}
              />
            </Box>
            <Box
              aria-hidden
              sx={{
                mt: 0.5,
                color: "text.secondary",
                whiteSpace: "nowrap",
                fontSize: { xs: "0.6875rem", sm: "0.8125rem" },
              }}
            >
              {sizes[n + 1] ? `${from}–${(sizes[n + 1]?.least_side ?? 0) - 1}` : `${from}+`}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
