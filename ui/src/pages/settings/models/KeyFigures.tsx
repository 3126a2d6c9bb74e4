import { Box, Typography } from "@mui/material";
import type { ReactNode } from "react";
import type { Model, ModelStats } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useText } from "../../../text";
import { percent, score } from "../../../numbers";
import { detectorFigures, weakestClass } from "./figures";

/** What to know of a model at a glance: of a detector how good it is, of a generator how much it is liked. */
export function KeyFigures({ model, stats }: { model: Model; stats: ModelStats[] }) {
  const text = useText();
  const words = text.settings.model;
  if (model.type === "generator") {
    const sum = (measure: "images" | "likes" | "downloads") => stats.reduce((all, each) => all + each[measure], 0);
    return (
      <Figures>
        <Figure name={words.made}>{sum("images").toLocaleString(text.language)}</Figure>
        <Figure name={words.likes}>{sum("likes").toLocaleString(text.language)}</Figure>
        <Figure name={words.downloads}>{sum("downloads").toLocaleString(text.language)}</Figure>
      </Figures>
    );
  }
  const splits = detectorFigures(model);
  const weakest = splits[0] && weakestClass(splits[0][1]);
  if (splits.length === 0) {
    return (
      <Typography variant="body2" color="textSecondary">
        {words.noFigures}
      </Typography>
    );
  }
  return (
    <Figures>
      {splits.slice(0, 2).map(([split, metrics]) => (
        <Figure key={split} name={words.splits[split] ?? split}>
          {percent(metrics.accuracy, text.language)}
        </Figure>
      ))}
      {weakest && (
        <Figure name={words.weakest} title={text.face[weakest.faceClass].name}>
          <FaceClassDot faceClass={weakest.faceClass} />
          {score(weakest.f1)}
        </Figure>
      )}
    </Figures>
  );
}

export function Figures({ children }: { children: ReactNode }) {
  return (
    <Box
      component="dl"
      sx={{ m: 0, display: "flex", flexWrap: "wrap", columnGap: { xs: 2, sm: 3 }, rowGap: 1.5, minWidth: 0 }}
    >
      {children}
    </Box>
  );
}

export function Figure({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <Box title={title} sx={{ display: "flex", flexDirection: "column-reverse" }}>
      <Box component="dt" sx={{ color: "text.secondary", fontSize: "0.8125rem", lineHeight: 1.4 }}>
        {name}
      </Box>
      <Box
        component="dd"
        sx={{
          m: 0,
          display: "flex",
          alignItems: "center",
          gap: 0.75,
          typography: "h4",
          fontVariantNumeric: "tabular-nums",
        }}
      >
        {children}
      </Box>
    </Box>
  );
}
