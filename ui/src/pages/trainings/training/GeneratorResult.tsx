import { Box, Button, Card, Typography } from "@mui/material";
import { FileText } from "lucide-react";
import type { TrainingDetail } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { figure, percent } from "../format";
import { splitsOf } from "../kind";
import { Figures } from "./Figures";

/** What a finished generator draws, and how far that is from real faces. */
export function GeneratorResult({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const words = text.trainings.result;
  const [split] = splitsOf(training.metrics);
  const metrics = split === undefined ? undefined : training.metrics[split];
  const recognised = metrics?.kind === "generator" ? Object.entries(metrics.recognised ?? {}) : [];
  const say = (value: number | null | undefined) => (value == null ? "–" : figure(value, text.language));
  return (
    <Card component="section" aria-labelledby="result-heading" sx={{ p: { xs: 2, sm: 3 } }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 2, mb: 2 }}>
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
      <Box
        sx={{
          display: "grid",
          gap: { xs: 3, md: 5 },
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" },
        }}
      >
        {training.files["samples.jpg"] && (
          <Box
            component="img"
            src={training.files["samples.jpg"]}
            alt={words.samplesAlt(training.label)}
            sx={{ display: "block", width: "100%", borderRadius: 3, bgcolor: "action.hover" }}
          />
        )}
        <Box sx={{ display: "grid", gap: 3, alignContent: "start" }}>
          {metrics?.kind === "generator" ? (
            <>
              <Figures
                figures={[
                  {
                    name: words.kid,
                    value: say(metrics.kid),
                    hint: `${words.kidHint} ${words.kidBest(say(metrics.kid_of_real))}`,
                  },
                  { name: words.nearest, value: say(metrics.nearest_training), hint: words.nearestHint },
                ]}
              />
              {recognised.length > 0 && (
                <Box>
                  <Typography variant="h4" component="h3">
                    {words.recognised}
                  </Typography>
                  <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
                    {words.recognisedHint}
                  </Typography>
                  <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1 }}>
                    {recognised.map(([detector, share]) => (
                      <Box component="li" key={detector} sx={{ typography: "body2" }}>
                        <Box sx={{ display: "flex", justifyContent: "space-between" }}>
                          <span>{detector}</span>
                          <span>{percent(share, text.language)}</span>
                        </Box>
                        <Box aria-hidden sx={{ height: 6, borderRadius: 9, bgcolor: "action.hover", mt: 0.5 }}>
                          <Box
                            sx={{ height: "100%", borderRadius: 9, bgcolor: "secondary.main" }}
                            style={{ width: `${share * 100}%` }}
                          />
                        </Box>
                      </Box>
                    ))}
                  </Box>
                </Box>
              )}
            </>
          ) : (
            <Typography color="textSecondary">{words.none}</Typography>
          )}
        </Box>
      </Box>
    </Card>
  );
}
