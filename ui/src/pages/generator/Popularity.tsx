import { Box, Card, Skeleton, Typography, useMediaQuery } from "@mui/material";
import { ChevronDown } from "lucide-react";
import { useModelStats } from "../../api/images";
import type { ModelStats } from "../../api/types";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";

const MEASURES = ["images", "likes", "downloads"] as const;
type Measure = (typeof MEASURES)[number];

/** Images, likes and downloads of each generator; each measure on a scale of its own. */
export function Popularity() {
  const text = useText();
  const { data: stats, error, isPending, refetch } = useModelStats();
  // On a phone the gallery is what people come for; the numbers open on demand.
  const wide = useMediaQuery((theme) => theme.breakpoints.up("md"), { noSsr: true });
  const names: Record<Measure, string> = {
    images: text.generator.images,
    likes: text.generator.likesColumn,
    downloads: text.generator.downloads,
  };
  return (
    <Card component="section" aria-labelledby="popularity-heading" sx={{ p: { xs: 2, sm: 2.5 } }}>
      <Box component="details" open={wide} sx={{ "&[open] .turn": { transform: "rotate(180deg)" } }}>
        <Box component="summary" sx={{ display: "flex", alignItems: "center", cursor: "pointer", borderRadius: 2 }}>
          <Typography variant="h4" component="h2" id="popularity-heading" sx={{ flex: 1 }}>
            {text.generator.popularity}
          </Typography>
          <ChevronDown size={20} className="turn" aria-hidden />
        </Box>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
          {text.generator.popularityHint}
        </Typography>
        {error && !stats && <ProblemAlert error={error} onRetry={() => void refetch()} />}
        {isPending && <Skeleton variant="rounded" height={84} />}
        {stats?.length === 0 && <Typography variant="body2">{text.generator.noPopularity}</Typography>}
        {stats && stats.length > 0 && (
          <Box
            component="table"
            sx={{
              width: "100%",
              borderCollapse: "collapse",
              tableLayout: "fixed",
              typography: "body2",
              "& th": { fontWeight: 550 },
            }}
          >
            <thead>
              <Box component="tr" sx={{ color: "text.secondary" }}>
                {MEASURES.map((measure) => (
                  <Box component="th" scope="col" key={measure} sx={{ textAlign: "left", p: 0, fontSize: "0.8125rem" }}>
                    {names[measure]}
                  </Box>
                ))}
              </Box>
            </thead>
            {stats.map((model) => (
              <ModelBars key={`${model.model_uuid}-${model.model_version}`} model={model} all={stats} />
            ))}
          </Box>
        )}
      </Box>
    </Card>
  );
}

/** Two rows: the name over the whole width, since names are long and the card is narrow, then the bars. */
function ModelBars({ model, all }: { model: ModelStats; all: ModelStats[] }) {
  return (
    <tbody>
      <tr>
        <Box component="th" scope="rowgroup" colSpan={MEASURES.length} sx={{ textAlign: "left", p: 0, pt: 1.25 }}>
          {model.model_label}
        </Box>
      </tr>
      <tr>
        {MEASURES.map((measure) => {
          const most = Math.max(1, ...all.map((other) => other[measure]));
          return (
            <Box component="td" key={measure} sx={{ p: 0, pr: 1.5 }}>
              <Box sx={{ fontVariantNumeric: "tabular-nums" }}>{model[measure].toLocaleString()}</Box>
              <Box aria-hidden sx={{ height: 6, borderRadius: 9, bgcolor: "action.hover" }}>
                <Box
                  sx={{
                    height: 6,
                    minWidth: model[measure] > 0 ? 6 : 0,
                    borderRadius: 9,
                    bgcolor: measure === "likes" ? "secondary.main" : "primary.main",
                    transition: "width .4s",
                  }}
                  style={{ width: `${(model[measure] / most) * 100}%` }}
                />
              </Box>
            </Box>
          );
        })}
      </tr>
    </tbody>
  );
}
