import { Box, Card, Collapse } from "@mui/material";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { hasEnded, useTrainingLog } from "../../../api/trainings";
import type { TrainingDetail } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";

/** What the training wrote, for those who know how to read it. Asked for once it is opened. */
export function Log({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const [open, setOpen] = useState(training.status === "failed");
  return (
    <Card>
      <Box
        component="button"
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        sx={{
          all: "unset",
          boxSizing: "border-box",
          cursor: "pointer",
          display: "flex",
          alignItems: "center",
          gap: 1,
          width: "100%",
          px: { xs: 2, sm: 3 },
          py: 2,
          typography: "h4",
          "&:focus-visible": {
            outline: "3px solid var(--mui-palette-secondary-main)",
            outlineOffset: -3,
            borderRadius: 5,
          },
          "& svg": { transition: "transform .2s", transform: open ? "rotate(180deg)" : "none" },
        }}
      >
        <ChevronDown size={20} aria-hidden />
        {text.trainings.training.log}
      </Box>
      <Collapse in={open} unmountOnExit>
        <Lines training={training} />
      </Collapse>
    </Card>
  );
}

function Lines({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const { data: log, error, refetch } = useTrainingLog(training.uuid, !hasEnded(training));
  if (error && log === undefined) {
    return (
      <Box sx={{ p: 2 }}>
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      </Box>
    );
  }
  return (
    <Box
      component="pre"
      // A region that scrolls has to be reached by keys.
      tabIndex={0}
      role="log"
      aria-label={text.trainings.training.log}
      sx={{
        m: 0,
        px: { xs: 2, sm: 3 },
        pb: 2,
        maxHeight: 360,
        overflow: "auto",
        fontSize: "0.8125rem",
        lineHeight: 1.55,
        fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
        color: "text.secondary",
        whiteSpace: "pre-wrap",
        overflowWrap: "anywhere",
      }}
    >
      {log === undefined ? text.trainings.loading : log.trim() || text.trainings.training.logEmpty}
    </Box>
  );
}
