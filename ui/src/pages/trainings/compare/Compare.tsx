import { Alert, Box, Chip, Skeleton, TextField, MenuItem, Typography } from "@mui/material";
import { ChartBar, Check } from "lucide-react";
import { useState } from "react";
import { useAllModels } from "../../../api/models";
import { type DetectorMetrics, FACE_CLASSES, type Model } from "../../../api/types";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { splitsOf } from "../kind";
import { rateOf } from "../training/rates";
import { MetricBars } from "./MetricBars";

const MOST = 5;
const FIRST = 4;

export interface Judged {
  id: string;
  name: string;
  serves: boolean;
  metrics: DetectorMetrics;
}

/** Detectors side by side, figure by figure. */
export function Compare() {
  const text = useTrainingsText();
  const words = text.trainings.compare;
  const { data: models, error, refetch } = useAllModels("detector");
  const [split, setSplit] = useState<string | null>(null);
  const [wanted, setWanted] = useState<string[] | null>(null);
  if (error && !models) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!models) return <Skeleton variant="rounded" sx={{ height: 380, borderRadius: 5 }} />;
  const splits = splitsOf(Object.assign({}, ...models.map(({ metrics }) => metrics)) as Record<string, unknown>);
  const on = split ?? splits[0];
  const judged = on === undefined ? [] : judgedOn(models, on);
  if (on === undefined || judged.length === 0)
    return <EmptyState icon={ChartBar} title={words.title} detail={words.none} />;
  const best = [...judged].sort((a, b) => b.metrics.accuracy - a.metrics.accuracy);
  const chosen = wanted ?? best.slice(0, FIRST).map(({ id }) => id);
  const shown = judged.filter(({ id }) => chosen.includes(id));
  const sameData = new Set(shown.map(({ metrics }) => metrics.data_digest)).size <= 1;
  const toggle = (id: string) =>
    setWanted(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(-MOST));
  const rows: { title: string; of: (metrics: DetectorMetrics) => number | null; up: boolean }[] = [
    { title: words.accuracy, of: ({ accuracy }) => accuracy, up: true },
    { title: words.real, of: (metrics) => metrics.real_or_generated_accuracy, up: true },
    { title: words.accused, of: ({ confusion }) => rateOf(confusion, "accused"), up: false },
    { title: words.missed, of: ({ confusion }) => rateOf(confusion, "missed"), up: false },
    { title: words.calibration, of: ({ ece }) => ece ?? null, up: false },
    ...FACE_CLASSES.map((faceClass) => ({
      title: words.f1(text.face[faceClass].short),
      of: ({ classes }: DetectorMetrics) => (classes[faceClass]?.support ? classes[faceClass].f1 : null),
      up: true,
    })),
  ];
  return (
    <Box sx={{ display: "grid", gap: 3 }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 2, alignItems: "flex-end" }}>
        <Box role="group" aria-labelledby="compare-models" sx={{ flex: "1 1 320px" }}>
          <Typography variant="h4" component="h2" id="compare-models">
            {words.choose}
          </Typography>
          <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
            {words.chooseHint}
          </Typography>
          <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
            {best.map(({ id, name }) => {
              const pressed = chosen.includes(id);
              return (
                <Chip
                  key={id}
                  label={name}
                  aria-pressed={pressed}
                  color={pressed ? "primary" : "default"}
                  variant={pressed ? "filled" : "outlined"}
                  {...(pressed && { icon: <Check size={16} aria-hidden /> })}
                  onClick={() => toggle(id)}
                />
              );
            })}
          </Box>
        </Box>
        <TextField
          select
          size="small"
          label={words.on}
          value={on}
          onChange={(event) => setSplit(event.target.value)}
          sx={{ minWidth: 170 }}
        >
          {splits.map((each) => (
            <MenuItem key={each} value={each}>
              {text.trainings.result.splits[each] ?? each}
            </MenuItem>
          ))}
        </TextField>
      </Box>
      {!sameData && <Alert severity="info">{words.differ}</Alert>}
      {shown.length > 0 && (
        <Box
          sx={{
            display: "grid",
            gap: 2,
            gridTemplateColumns: "repeat(auto-fill, minmax(min(100%, 340px), 1fr))",
          }}
        >
          {rows.map(({ title, of, up }) => (
            <MetricBars
              key={title}
              title={title}
              up={up}
              values={shown.map(({ id, name, serves, metrics }) => ({ id, name, serves, value: of(metrics) }))}
            />
          ))}
        </Box>
      )}
    </Box>
  );
}

function judgedOn(models: readonly Model[], split: string): Judged[] {
  const counts = new Map<string, number>();
  for (const { uuid } of models) counts.set(uuid, (counts.get(uuid) ?? 0) + 1);
  return models.flatMap(({ uuid, version, label, state, metrics }) => {
    const judged = metrics[split];
    const name = (counts.get(uuid) ?? 0) > 1 ? `${label} · ${version}` : label;
    return judged?.kind === "detector"
      ? [{ id: `${uuid}/${version}`, name, serves: state === "ready", metrics: judged }]
      : [];
  });
}
