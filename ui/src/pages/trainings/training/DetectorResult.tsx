import { Box, Button, Card, Tab, Tabs, Typography } from "@mui/material";
import { FileText } from "lucide-react";
import { useState } from "react";
import type { TrainingDetail } from "../../../api/types";
import { ClassTable } from "../../../components/ClassTable";
import { ConfusionMatrix } from "../../../components/ConfusionMatrix";
import { SourceList } from "../../../components/SourceList";
import { useTrainingsText } from "../../../text/trainings";
import { Reliability } from "../charts/Reliability";
import { percent } from "../format";
import { splitsOf } from "../kind";
import { Figures } from "./Figures";
import { rateOf } from "./rates";

/** On fewer images than this a share is off by several points by chance alone. */
const FEW_IMAGES = 400;

/** How a finished detector was judged, split by split. */
export function DetectorResult({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const words = text.trainings.result;
  const splits = splitsOf(training.metrics);
  const [chosen, setChosen] = useState<string | null>(null);
  const split = chosen ?? splits[0];
  const metrics = split === undefined ? undefined : training.metrics[split];
  if (split === undefined || metrics?.kind !== "detector") return null;
  const share = (value: number | null | undefined) => (value == null ? "–" : percent(value, text.language));
  return (
    <Card component="section" aria-labelledby="result-heading" sx={{ p: { xs: 2, sm: 3 } }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 2, mb: splits.length > 1 ? 1 : 2 }}>
        <Typography variant="h3" component="h2" id="result-heading" sx={{ flex: 1 }}>
          {words.title}
        </Typography>
        {training.files["report.html"] && (
          <Button
            href={training.files["report.html"]}
            target="_blank"
            rel="noreferrer"
            variant="outlined"
            size="small"
            startIcon={<FileText size={16} aria-hidden />}
            title={words.opensElsewhere}
          >
            {words.report}
          </Button>
        )}
      </Box>
      {splits.length > 1 && (
        <Tabs
          value={split}
          onChange={(_event, value: string) => setChosen(value)}
          aria-label={words.splitChoice}
          sx={{ mb: 2.5, borderBottom: 1, borderColor: "divider" }}
        >
          {splits.map((each) => (
            <Tab
              key={each}
              value={each}
              label={words.splits[each] ?? each}
              id={`split-${each}`}
              aria-controls="split-panel"
            />
          ))}
        </Tabs>
      )}
      <Box
        {...(splits.length > 1 && { role: "tabpanel", id: "split-panel", "aria-labelledby": `split-${split}` })}
        sx={{ display: "grid", gap: { xs: 4, md: 5 } }}
      >
        <Box
          sx={{
            display: "grid",
            gap: 3,
            gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "auto minmax(0, 1fr)" },
            columnGap: 6,
          }}
        >
          <Box>
            <Box
              sx={{ typography: "h1", fontSize: { xs: "2.6rem", md: "3.4rem" }, fontVariantNumeric: "tabular-nums" }}
            >
              {words.headline(share(metrics.accuracy))}
            </Box>
            <Typography sx={{ mt: 0.5 }}>{words.onSplit[split] ?? split}</Typography>
            <Typography variant="body2" color="textSecondary" sx={{ maxWidth: "40ch" }}>
              {words.images(metrics.images)} {metrics.images < FEW_IMAGES && words.fewImages}
            </Typography>
          </Box>
          <Figures
            figures={[
              {
                name: words.realOrGenerated,
                value: share(metrics.real_or_generated_accuracy),
                hint: words.realOrGeneratedHint,
              },
              {
                name: words.falseAccusations,
                value: share(rateOf(metrics.confusion, "accused")),
                hint: words.falseAccusationsHint,
              },
              { name: words.missed, value: share(rateOf(metrics.confusion, "missed")), hint: words.missedHint },
              { name: words.calibration, value: share(metrics.ece), hint: words.calibrationHint },
            ]}
          />
        </Box>
        <Box
          sx={{
            display: "grid",
            gap: { xs: 4, md: 6 },
            gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" },
          }}
        >
          <div>
            <Typography variant="h4" component="h3">
              {words.confusion}
            </Typography>
            <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
              {words.confusionHint}
            </Typography>
            <ConfusionMatrix confusion={metrics.confusion} label={words.confusion} />
          </div>
          <div>
            <Typography variant="h4" component="h3" sx={{ mb: 1 }}>
              {text.figures.classes}
            </Typography>
            <ClassTable metrics={metrics} />
          </div>
          <Reliability bins={metrics.reliability} />
          <SourceList metrics={metrics} heading="h3" />
        </Box>
      </Box>
    </Card>
  );
}
