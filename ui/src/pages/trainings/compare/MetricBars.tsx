import { Box, Card, Typography } from "@mui/material";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";

interface MetricBarsProps {
  title: string;
  /** Higher is better. */
  up: boolean;
  values: { id: string; name: string; serves: boolean; value: number | null }[];
}

/** One figure of several models, the best one marked. */
export function MetricBars({ title, up, values }: MetricBarsProps) {
  const text = useTrainingsText();
  const words = text.trainings.compare;
  const there = values.flatMap(({ value }) => (value === null ? [] : [value]));
  const best = up ? Math.max(...there) : Math.min(...there);
  // Bars of shares begin at 0 and end at 1; of small rates, of which less is better, at the largest one.
  const full = up ? 1 : Math.max(0.05, ...there);
  return (
    <Card component="section" aria-label={words.bars(title)} sx={{ p: 2.5 }}>
      <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, mb: 1.5 }}>
        <Typography variant="h4" component="h3" sx={{ flex: 1 }}>
          {title}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {up ? words.better : words.worse}
        </Typography>
      </Box>
      <Box component="ul" aria-label={title} sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1.25 }}>
        {values.map(({ id, name, value }) => {
          const wins = value !== null && value === best && there.length > 1;
          return (
            <Box component="li" key={id} sx={{ typography: "body2", fontWeight: wins ? 700 : 400 }}>
              <Box sx={{ display: "flex", justifyContent: "space-between", gap: 1 }}>
                <Box component="span" sx={{ overflowWrap: "anywhere" }}>
                  {name}
                </Box>
                <Box component="span" sx={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
                  {wins && `${words.best} · `}
                  {value === null ? "–" : percent(value, text.language)}
                </Box>
              </Box>
              <Box aria-hidden sx={{ mt: 0.5, height: 7, borderRadius: 9, bgcolor: "action.hover" }}>
                <Box
                  sx={{
                    height: "100%",
                    borderRadius: 9,
                    bgcolor: wins ? "primary.main" : "text.secondary",
                    opacity: wins ? 1 : 0.55,
                    transition: "width .4s",
                  }}
                  style={{ width: `${((value ?? 0) / full) * 100}%` }}
                />
              </Box>
            </Box>
          );
        })}
      </Box>
    </Card>
  );
}
