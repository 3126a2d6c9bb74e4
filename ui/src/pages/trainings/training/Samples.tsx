import { Box, Slider, Typography } from "@mui/material";
import { useState } from "react";
import type { TrainingDetail } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";

/** What a generator draws, step by step. */
export function Samples({ training, latestOnly = false }: { training: TrainingDetail; latestOnly?: boolean }) {
  const text = useTrainingsText();
  const words = text.trainings.training;
  const { samples } = training;
  // None chosen: always the newest, as they come.
  const [chosen, setChosen] = useState<number | null>(null);
  const place = latestOnly || chosen === null ? samples.length - 1 : Math.min(chosen, samples.length - 1);
  const sample = samples[place];
  return (
    <Box component="figure" sx={{ m: 0 }}>
      <Box component="figcaption" sx={{ mb: 1 }}>
        <Typography variant="h4" component="h3">
          {words.samples}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {sample ? (latestOnly ? words.at(sample.step) : words.samplesHint) : words.noSamples}
        </Typography>
      </Box>
      {sample && (
        <Box
          component="img"
          src={sample.url}
          alt={words.samplesAlt(sample.step)}
          sx={{
            display: "block",
            width: "100%",
            maxWidth: 560,
            aspectRatio: "1",
            borderRadius: 3,
            bgcolor: "action.hover",
          }}
        />
      )}
      {!latestOnly && samples.length > 1 && sample && (
        <Box sx={{ display: "flex", alignItems: "center", gap: 2.5, mt: 1.5, px: 1.25, maxWidth: 560 }}>
          <Slider
            aria-label={words.samplesStep}
            value={place}
            min={0}
            max={samples.length - 1}
            onChange={(_event, value) => setChosen(value === samples.length - 1 ? null : value)}
            getAriaValueText={(value) => words.at(samples[value]?.step ?? 0)}
          />
          <Typography variant="body2" sx={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums", minWidth: 96 }}>
            {words.at(sample.step)}
          </Typography>
        </Box>
      )}
    </Box>
  );
}
