import { Box, Typography } from "@mui/material";
import type { Dataset, Fate } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";

/** How many files were kept, and how many were left out for which reason. */
export function FateList({ fates }: { fates: Dataset["fates"] }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const there = (Object.entries(fates) as [Fate, number][])
    .filter(([, files]) => files > 0)
    .sort(([a, m], [b, n]) => Number(b === "kept") - Number(a === "kept") || n - m);
  if (there.length === 0) return null;
  return (
    <Box>
      <Typography variant="h4" component="h3" sx={{ mt: 1, mb: 0.5 }}>
        {words.fates}
      </Typography>
      <Box component="dl" sx={{ m: 0 }}>
        {there.map(([fate, files]) => (
          <Box
            key={fate}
            sx={{
              display: "flex",
              gap: 2,
              py: 0.75,
              borderBottom: 1,
              borderColor: "divider",
              typography: "body2",
              "&:last-of-type": { border: 0 },
            }}
          >
            <Box component="dt" sx={{ flex: 1 }}>
              {words.fate[fate]}
            </Box>
            <Box component="dd" sx={{ m: 0, fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
              {files.toLocaleString(text.language)}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
