import { Box, Button, DialogActions, DialogContent, Typography } from "@mui/material";
import { CircleCheck } from "lucide-react";
import { useSetModelStatus } from "../../../api/models";
import type { Model } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";

/** It is there; most people want it in service next. */
export function ModelAdded({ model, onClose }: { model: Model; onClose: () => void }) {
  const text = useText();
  const words = text.settings.upload;
  const say = useNotice();
  const { mutate, isPending, error } = useSetModelStatus();
  const switchOn = () =>
    mutate(
      { model, status: "enabled", replace: true },
      {
        onSuccess: () => {
          say(text.settings.model.nowOn(model.label));
          onClose();
        },
      },
    );
  return (
    <>
      <DialogContent sx={{ display: "grid", justifyItems: "center", textAlign: "center", gap: 1, pt: 5 }}>
        <Box sx={{ display: "flex", color: "success.main" }}>
          <CircleCheck size={52} strokeWidth={1.5} aria-hidden />
        </Box>
        <Typography variant="h3" component="h2" id="add-model-title" role="status">
          {words.done(model.label)}
        </Typography>
        <Typography color="textSecondary">{words.doneText}</Typography>
        {error && <ProblemAlert error={error} />}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3, justifyContent: "center" }}>
        <Button onClick={onClose}>{words.later}</Button>
        <Button variant="contained" loading={isPending} onClick={switchOn}>
          {words.switchOn}
        </Button>
      </DialogActions>
    </>
  );
}
