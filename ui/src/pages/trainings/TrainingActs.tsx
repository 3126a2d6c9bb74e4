import { Box, Button, IconButton, ListItemIcon, Menu, MenuItem, Tooltip } from "@mui/material";
import { Copy, EllipsisVertical, Pause, Play, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { type TrainingAct, useTrainingAct } from "../../api/trainings";
import type { Training } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { problemText } from "../../components/problemText";
import { useNotice } from "../../shell/notice";
import { useTrainingsText } from "../../text/trainings";

interface TrainingActsProps {
  training: Training;
  onRemoved?: () => void;
}

/** Pause, resume, try again, remove: what is possible now. */
export function TrainingActs({ training, onRemoved }: TrainingActsProps) {
  const text = useTrainingsText();
  const words = text.trainings.acts;
  const say = useNotice();
  const { mutate, isPending, error, reset } = useTrainingAct();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [asking, setAsking] = useState(false);
  const { uuid, status, wanted, label } = training;

  const act = (which: TrainingAct, said: string) =>
    mutate(
      { uuid, act: which },
      {
        onSuccess: () => {
          say(said, "info");
          if (which === "remove") {
            setAsking(false);
            onRemoved?.();
          }
        },
        onError: (problem) => which !== "remove" && say(problemText(problem, text).detail, "error"),
      },
    );
  const main = (() => {
    if (status === "failed") return { icon: RotateCcw, name: words.retry, run: () => act("retry", words.retried) };
    if (status === "paused" || (status !== "done" && wanted === "pause"))
      return { icon: Play, name: words.resume, run: () => act("resume", words.resumed) };
    if (status === "pending" || status === "running")
      return { icon: Pause, name: words.pause, run: () => act("pause", words.paused) };
    return null;
  })();
  const removal = { done: words.removeDone, failed: words.removeFailed }[status as string] ?? words.removeGoing;

  return (
    <Box sx={{ display: "flex", gap: 0.5, alignItems: "center" }}>
      {main && (
        <Button
          variant="outlined"
          size="small"
          startIcon={<main.icon size={16} aria-hidden />}
          onClick={main.run}
          loading={isPending && !asking}
          sx={{ bgcolor: "background.paper" }}
        >
          {main.name}
        </Button>
      )}
      <Tooltip title={words.more(label)}>
        <IconButton
          aria-label={words.more(label)}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <EllipsisVertical size={18} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <MenuItem component={Link} to={`/trainings/new?from=${uuid}`}>
          <ListItemIcon>
            <Copy size={18} aria-hidden />
          </ListItemIcon>
          {words.again}
        </MenuItem>
        <MenuItem
          onClick={() => {
            setAnchor(null);
            reset();
            setAsking(true);
          }}
        >
          <ListItemIcon>
            <Trash2 size={18} aria-hidden />
          </ListItemIcon>
          {words.remove}
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={asking}
        title={words.removeTitle(label)}
        detail={removal}
        action={words.remove}
        pending={isPending}
        error={error}
        onConfirm={() => act("remove", words.removed(label))}
        onClose={() => setAsking(false)}
      />
    </Box>
  );
}
