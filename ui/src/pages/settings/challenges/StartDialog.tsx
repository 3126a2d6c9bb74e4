import {
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControlLabel,
  Radio,
  RadioGroup,
  Typography,
} from "@mui/material";
import { useState } from "react";
import { useStartChallenge } from "../../../api/challenges";
import { useModels } from "../../../api/models";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { groupModels } from "../models/modelGroups";

/** Which detector; the rest is the rule's. */
export function StartDialog({ onClose }: { onClose: () => void }) {
  const text = useText();
  const words = text.settings.challenge;
  const say = useNotice();
  const { data: models, error: modelsError } = useModels("detector");
  const { mutate, isPending, error, reset } = useStartChallenge();
  const groups = groupModels(models ?? []);
  const [wanted, setWanted] = useState<string | null>(null);
  const model = wanted ?? (groups.length === 1 ? groups[0]?.uuid : undefined);
  const start = () => {
    if (!model) return;
    mutate(model, {
      onSuccess: () => {
        say(words.started);
        onClose();
      },
    });
  };
  return (
    <Dialog open onClose={onClose} maxWidth="xs" fullWidth aria-labelledby="start-challenge-title">
      <DialogTitle id="start-challenge-title" sx={{ typography: "h3" }}>
        {words.startTitle}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2 }}>
        <Typography variant="body2" color="textSecondary">
          {words.startText}
        </Typography>
        {models && groups.length === 0 && <Typography>{words.startNone}</Typography>}
        <RadioGroup
          aria-labelledby="start-challenge-title"
          value={model ?? ""}
          onChange={(_event, value) => {
            reset();
            setWanted(value);
          }}
          sx={{ gap: 1 }}
        >
          {groups.map(({ uuid, shown }) => (
            <FormControlLabel
              key={uuid}
              value={uuid}
              control={<Radio />}
              label={
                <Box sx={{ lineHeight: 1.35 }}>
                  {shown.label}
                  <Typography variant="body2" color="textSecondary">
                    {text.settings.model.version(shown.version)}
                  </Typography>
                </Box>
              }
              slotProps={{ typography: { component: "div" } }}
              sx={{
                m: 0,
                px: 1,
                py: 0.5,
                borderRadius: 3,
                border: 1.5,
                borderColor: model === uuid ? "primary.main" : "divider",
                bgcolor: model === uuid ? "primary.light" : "transparent",
              }}
            />
          ))}
        </RadioGroup>
        {modelsError && !models && <ProblemAlert error={modelsError} />}
        {error && <ProblemAlert error={error} />}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3 }}>
        <Button onClick={onClose}>{text.settings.cancel}</Button>
        <Button variant="contained" disabled={!model} loading={isPending} onClick={start}>
          {words.startButton}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
