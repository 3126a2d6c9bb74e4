import { Box, Button, Typography } from "@mui/material";
import { useState } from "react";
import type { DetectorMetrics } from "../api/types";
import { percent } from "../numbers";
import { useText } from "../text";
import { FaceClassDot } from "./FaceClassDot";

const FIRST = 8;

/** How often a detector is right about the pictures of each source, the hardest first. */
export function SourceList({ metrics, heading }: { metrics: DetectorMetrics; heading: "h3" | "h4" }) {
  const text = useText();
  const words = text.figures;
  const [all, setAll] = useState(false);
  const sources = Object.entries(metrics.sources).toSorted(([, a], [, b]) => a.accuracy - b.accuracy);
  // Of one source or one a class, it is what the table of the classes says already.
  if (sources.length < 3) return null;
  return (
    <div>
      <Typography variant="h4" component={heading}>
        {words.sources}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
        {words.sourcesHint}
      </Typography>
      <Box component="ul" aria-label={words.sources} sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1 }}>
        {(all ? sources : sources.slice(0, FIRST)).map(([name, { face_class: faceClass, accuracy, support }]) => (
          <Box component="li" key={name} sx={{ typography: "body2" }}>
            <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
              <FaceClassDot faceClass={faceClass} />
              <Box component="span" title={name} sx={{ flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
                {withoutClass(name)}
                <Box component="span" sx={{ color: "text.secondary" }}>{` · ${words.picturesOf(support)}`}</Box>
              </Box>
              <Box component="span" sx={{ fontVariantNumeric: "tabular-nums", fontWeight: 600 }}>
                {percent(accuracy, text.language)}
              </Box>
            </Box>
            <Box aria-hidden sx={{ mt: 0.5, height: 6, borderRadius: 9, bgcolor: "action.hover" }}>
              <Box
                sx={{ height: "100%", borderRadius: 9, bgcolor: `face.${faceClass}` }}
                style={{ width: `${accuracy * 100}%` }}
              />
            </Box>
          </Box>
        ))}
      </Box>
      {!all && sources.length > FIRST && (
        <Button size="small" onClick={() => setAll(true)} sx={{ mt: 1, ml: -1.25 }}>
          {words.allSources(sources.length)}
        </Button>
      )}
    </div>
  );
}

/** Sources are named CLASS/SOURCE; the dot says the class. */
function withoutClass(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}
