import { Box, Card, Skeleton, Slider, Typography } from "@mui/material";
import { useState } from "react";
import { useChangeSettings, useSettings } from "../../../api/status";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";

const MOST = 20;

/** Images per batch: a slider, and as many cells as there will be faces. */
export function BatchCard({ mayChange }: { mayChange: boolean }) {
  const text = useText();
  const words = text.settings.batch;
  const { data: settings, error, refetch } = useSettings();
  const { mutate, isPending, isSuccess, error: refused } = useChangeSettings();
  // While the thumb is being dragged; what counts is what the server has.
  const [dragged, setDragged] = useState<number | null>(null);
  if (error && !settings) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!settings) return <Skeleton variant="rounded" height={230} sx={{ borderRadius: 5 }} />;
  const value = dragged ?? settings.images_per_batch;
  return (
    <Card component="section" aria-labelledby="batch-heading" sx={{ p: 2.5 }}>
      <Box sx={{ display: "flex", alignItems: "baseline", gap: 1 }}>
        <Typography variant="h4" component="h2" id="batch-heading" sx={{ flex: 1 }}>
          {words.title}
        </Typography>
        <Typography variant="body2" color="textSecondary" role="status">
          {isPending ? text.settings.saving : isSuccess && dragged === null ? text.settings.saved : ""}
        </Typography>
      </Box>
      <Box sx={{ display: "flex", alignItems: "center", gap: 2.5, mt: 1.5 }}>
        <Typography
          aria-hidden
          sx={{ typography: "h1", fontSize: "3.25rem", minWidth: "1.2em", fontVariantNumeric: "tabular-nums" }}
        >
          {value}
        </Typography>
        <Box
          aria-hidden
          sx={{ display: "grid", gridTemplateColumns: "repeat(10, 1fr)", gap: "4px", flex: 1, maxWidth: 190 }}
        >
          {Array.from({ length: MOST }, (_, n) => (
            <Box
              key={n}
              sx={{
                aspectRatio: "1",
                borderRadius: "4px",
                transition: "background-color .15s",
                bgcolor: n < value ? "primary.main" : "action.selected",
              }}
            />
          ))}
        </Box>
      </Box>
      <Box sx={{ px: 1, mt: 1 }}>
        <Slider
          value={value}
          min={0}
          max={MOST}
          step={1}
          disabled={!mayChange}
          aria-label={words.title}
          getAriaValueText={words.value}
          onChange={(_event, next) => setDragged(next)}
          onChangeCommitted={(_event, next) => {
            setDragged(null);
            if (next !== settings.images_per_batch) mutate({ images_per_batch: next });
          }}
        />
      </Box>
      <Typography variant="body2" color={value === 0 ? "secondary" : "textSecondary"}>
        {value === 0 ? words.off : words.hint}
      </Typography>
      {refused && (
        <Box sx={{ mt: 2 }}>
          <ProblemAlert error={refused} />
        </Box>
      )}
    </Card>
  );
}
