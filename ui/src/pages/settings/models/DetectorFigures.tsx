import { Box, ToggleButton, ToggleButtonGroup, Typography } from "@mui/material";
import { useState } from "react";
import type { Model } from "../../../api/types";
import { ClassTable } from "../../../components/ClassTable";
import { ConfusionMatrix } from "../../../components/ConfusionMatrix";
import { SourceList } from "../../../components/SourceList";
import { useText } from "../../../text";
import { percent } from "../../../numbers";
import { detectorFigures } from "./figures";
import { Figure, Figures } from "./KeyFigures";

/** How good a detector is, split by split. */
export function DetectorFigures({ model }: { model: Model }) {
  const text = useText();
  const words = text.settings.model;
  const splits = detectorFigures(model);
  const [chosen, setChosen] = useState<string | null>(null);
  const [split, metrics] = splits.find(([name]) => name === chosen) ?? splits[0] ?? [];
  if (split === undefined || !metrics) return null;
  return (
    <Box sx={{ display: "grid", gap: 2.5 }}>
      {splits.length > 1 && (
        <ToggleButtonGroup
          exclusive
          size="small"
          color="primary"
          value={split}
          aria-label={words.figures}
          onChange={(_event, next: string | null) => next !== null && setChosen(next)}
          sx={{ justifySelf: "start", "& button": { textTransform: "none", px: 2, borderRadius: 99 } }}
        >
          {splits.map(([name]) => (
            <ToggleButton key={name} value={name}>
              {words.splits[name] ?? name}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      )}
      <Figures>
        <Figure name={words.accuracy}>{percent(metrics.accuracy, text.language)}</Figure>
        <Figure name={words.sourceMean}>{percent(metrics.source_mean, text.language)}</Figure>
        <Figure name={words.realOrGenerated}>{percent(metrics.real_or_generated_accuracy, text.language)}</Figure>
      </Figures>
      <Typography variant="body2" color="textSecondary">
        {words.measuredOn(metrics.images)}
      </Typography>
      <ClassTable metrics={metrics} />
      <div>
        <Typography variant="h4" component="h4">
          {words.confusion}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
          {words.confusionHint}
        </Typography>
        <ConfusionMatrix
          confusion={metrics.confusion}
          label={words.confusionOf(model.label, words.splits[split] ?? split)}
        />
      </div>
      <SourceList metrics={metrics} heading="h4" />
    </Box>
  );
}
