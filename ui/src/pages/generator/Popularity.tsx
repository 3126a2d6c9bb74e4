import { Card, Skeleton, Typography, useMediaQuery } from "@mui/material";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { useModelStats } from "../../api/images";
import type { ModelStats } from "../../api/types";
import { ProblemAlert } from "../../components/ProblemAlert";
import { whole } from "../../numbers";
import { useText } from "../../text";
import "./popularity.css";

const MEASURES = ["images", "likes", "downloads"] as const;

/** What people make, like and keep, by generator. */
export function Popularity() {
  const text = useText();
  // On a phone the gallery is what people come for; the numbers open on demand.
  const wide = useMediaQuery((theme) => theme.breakpoints.up("md"), { noSsr: true });
  const [opened, setOpened] = useState(wide);
  return (
    <Card component="section" aria-labelledby="popularity-heading" sx={{ p: { xs: 2, sm: 2.5 } }}>
      <details className="popularity" open={wide} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
        <summary>
          <Typography variant="h4" component="h2" id="popularity-heading">
            {text.generator.popularity}
          </Typography>
          <ChevronDown size={20} aria-hidden />
        </summary>
        {opened && <Figures />}
      </details>
    </Card>
  );
}

/** Images, likes and downloads of each generator; each measure on a scale of its own. */
function Figures() {
  const text = useText();
  const { data: stats, error, isPending, refetch } = useModelStats();
  const names = {
    images: text.generator.images,
    likes: text.generator.likesColumn,
    downloads: text.generator.downloads,
  };
  return (
    <>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
        {text.generator.popularityHint}
      </Typography>
      {error && !stats && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton variant="rounded" height={84} />}
      {stats?.length === 0 && <Typography variant="body2">{text.generator.noPopularity}</Typography>}
      {stats && stats.length > 0 && (
        <table>
          <thead>
            <tr>
              {MEASURES.map((measure) => (
                <th scope="col" key={measure}>
                  {names[measure]}
                </th>
              ))}
            </tr>
          </thead>
          {stats.map((model) => (
            <ModelBars key={`${model.model_uuid}-${model.model_version}`} model={model} all={stats} />
          ))}
        </table>
      )}
    </>
  );
}

/** Two rows: the name over the whole width, since names are long and the card is narrow, then the bars. */
function ModelBars({ model, all }: { model: ModelStats; all: ModelStats[] }) {
  const text = useText();
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={MEASURES.length}>
          {model.model_label}
        </th>
      </tr>
      <tr>
        {MEASURES.map((measure) => {
          const most = Math.max(1, ...all.map((other) => other[measure]));
          return (
            <td key={measure}>
              {whole(model[measure], text.language)}
              <div aria-hidden className="popularity-bar">
                {model[measure] > 0 && (
                  <div className={measure} style={{ width: `${(model[measure] / most) * 100}%` }} />
                )}
              </div>
            </td>
          );
        })}
      </tr>
    </tbody>
  );
}
