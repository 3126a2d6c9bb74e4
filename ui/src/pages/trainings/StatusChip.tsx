import { Box } from "@mui/material";
import { Check, CircleDashed, LoaderCircle, type LucideIcon, Pause, TriangleAlert } from "lucide-react";
import type { Training } from "../../api/types";
import { useTrainingsText } from "../../text/trainings";

const icons: Record<Training["status"], LucideIcon> = {
  pending: CircleDashed,
  running: LoaderCircle,
  paused: Pause,
  done: Check,
  failed: TriangleAlert,
};

const colours: Record<Training["status"], { bgcolor: string; color: string }> = {
  pending: { bgcolor: "action.selected", color: "text.primary" },
  running: { bgcolor: "primary.light", color: "text.primary" },
  paused: { bgcolor: "action.selected", color: "text.primary" },
  done: { bgcolor: "primary.light", color: "text.primary" },
  failed: { bgcolor: "secondary.light", color: "text.primary" },
};

/** How far a training is, as a word with a sign. */
export function StatusChip({ training }: { training: Training }) {
  const text = useTrainingsText();
  const Icon = icons[training.status];
  const pausing = training.status === "running" && training.wanted === "pause";
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.75,
        px: 1.25,
        py: 0.375,
        borderRadius: 99,
        typography: "body2",
        fontWeight: 600,
        whiteSpace: "nowrap",
        "@keyframes turn": { to: { transform: "rotate(360deg)" } },
        "& .turns": { animation: "turn 2.4s linear infinite" },
        ...colours[training.status],
      }}
    >
      <Icon size={14} strokeWidth={2.5} aria-hidden className={training.status === "running" ? "turns" : undefined} />
      {pausing ? text.trainings.pausing : text.trainings.status[training.status]}
    </Box>
  );
}
