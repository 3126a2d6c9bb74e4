import { Box } from "@mui/material";
import { ScanFace, Sparkles } from "lucide-react";
import type { Model } from "../../../api/types";
import { useText } from "../../../text";
import { ConfusionMatrix } from "../../../components/ConfusionMatrix";
import { detectorFigures } from "./figures";

interface ModelPictureProps {
  model: Model;
  /** pixels */
  size: number;
  faded?: boolean;
}

/** What a generator makes, what a detector mixes up. */
export function ModelPicture({ model, size, faded = false }: ModelPictureProps) {
  const text = useText();
  const words = text.settings.model;
  const [split] = detectorFigures(model);
  const box = {
    width: size,
    height: size,
    flexShrink: 0,
    borderRadius: 3.5,
    overflow: "hidden",
    opacity: faded ? 0.6 : 1,
    filter: faded ? "saturate(.35)" : "none",
    transition: "opacity .25s, filter .25s",
  } as const;
  if (model.samples) {
    return (
      <Box sx={box}>
        {/* Four of the picture's 8 by 8 faces: enough to see what it makes, large enough to see how well. */}
        <Box
          component="img"
          src={model.samples}
          alt={words.samplesOf(model.label)}
          loading="lazy"
          sx={{ width: "400%", height: "400%", maxWidth: "none", display: "block" }}
        />
      </Box>
    );
  }
  if (split) {
    const [name, metrics] = split;
    return (
      <Box sx={{ ...box, p: 0.75, bgcolor: "action.hover" }}>
        <ConfusionMatrix
          small
          confusion={metrics.confusion}
          label={words.confusionOf(model.label, words.splits[name] ?? name)}
        />
      </Box>
    );
  }
  const Icon = model.type === "generator" ? Sparkles : ScanFace;
  return (
    <Box sx={{ ...box, display: "grid", placeItems: "center", bgcolor: "primary.light", color: "primary.main" }}>
      <Icon size={size * 0.42} aria-hidden />
    </Box>
  );
}
