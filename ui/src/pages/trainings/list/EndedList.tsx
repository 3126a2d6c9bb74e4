import { Box, Button, Chip, Typography } from "@mui/material";
import { useState } from "react";
import type { Training } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { type Kind, kindOf } from "../kind";
import { EndedRow } from "./EndedRow";

interface EndedListProps {
  trainings: Training[];
  hasMore: boolean;
  loading: boolean;
  onMore: () => void;
}

/** Finished trainings, newest first. */
export function EndedList({ trainings, hasMore, loading, onMore }: EndedListProps) {
  const text = useTrainingsText();
  const words = text.trainings.list;
  const [only, setOnly] = useState<Kind | null>(null);
  const kinds = (["detector", "generator", "ensemble"] as const).filter((kind) =>
    trainings.some((each) => kindOf(each) === kind),
  );
  const shown = trainings.filter((each) => only === null || kindOf(each) === only);
  return (
    <Box component="section" aria-labelledby="ended-heading">
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1.5, mb: 2 }}>
        <Typography variant="h3" component="h2" id="ended-heading" sx={{ flex: 1 }}>
          {words.ended}
        </Typography>
        {kinds.length > 1 && (
          <Box role="group" aria-label={words.filter} sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
            {[null, ...kinds].map((kind) => (
              <Chip
                key={kind}
                label={kind === null ? words.all : text.trainings.kinds[kind]}
                color={only === kind ? "primary" : "default"}
                variant={only === kind ? "filled" : "outlined"}
                aria-pressed={only === kind}
                onClick={() => setOnly(kind)}
              />
            ))}
          </Box>
        )}
      </Box>
      {trainings.length === 0 ? (
        <Typography color="textSecondary">{words.noneEnded}</Typography>
      ) : (
        <Box
          component="ul"
          aria-labelledby="ended-heading"
          sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1.25 }}
        >
          {shown.map((training) => (
            <EndedRow key={training.uuid} training={training} />
          ))}
        </Box>
      )}
      {shown.length === 0 && trainings.length > 0 && <Typography color="textSecondary">{words.noneOfKind}</Typography>}
      {hasMore && (
        <Button variant="outlined" onClick={onMore} loading={loading} sx={{ mt: 2 }}>
          {words.more}
        </Button>
      )}
    </Box>
  );
}
