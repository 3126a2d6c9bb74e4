import { Box, CircularProgress } from "@mui/material";
import { TriangleAlert } from "lucide-react";
import type { Model } from "../../../api/types";
import { useText } from "../../../text";

/** How a model fares in serving, in a word and a mark. */
export function ModelState({ state }: { state: Model["state"] }) {
  const text = useText();
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.75,
        fontWeight: 550,
        color: { ready: "success.main", loading: "text.primary", failed: "error.main", disabled: "text.secondary" }[
          state
        ],
      }}
    >
      <StateDot state={state} />
      {text.settings.model.state[state]}
    </Box>
  );
}

/** Colour is never all: each state has a shape of its own. */
export function StateDot({ state }: { state: Model["state"] }) {
  if (state === "loading") return <CircularProgress size={12} thickness={6} color="inherit" aria-hidden />;
  if (state === "failed") {
    return (
      <Box component="span" sx={{ display: "flex", color: "error.main" }}>
        <TriangleAlert size={14} aria-hidden />
      </Box>
    );
  }
  const ready = state === "ready";
  return (
    <Box
      component="span"
      aria-hidden
      sx={{
        width: 10,
        height: 10,
        m: "1px",
        borderRadius: 9,
        flexShrink: 0,
        bgcolor: ready ? "success.main" : "transparent",
        border: 2,
        borderColor: ready ? "success.main" : "text.disabled",
      }}
    />
  );
}
