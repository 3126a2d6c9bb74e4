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
import { FACE_CLASSES, type FaceClass } from "../../api/types";
import { FaceClassDot } from "../../components/FaceClassDot";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";

interface ClassDialogProps {
  open: boolean;
  predicted: FaceClass;
  saving: boolean;
  error: unknown;
  onSave: (label: FaceClass) => void;
  onClose: () => void;
}

/** What is it really? The four classes in plain words. */
export function ClassDialog({ open, predicted, saving, error, onSave, onClose }: ClassDialogProps) {
  const text = useText();
  const [label, setLabel] = useState<FaceClass | null>(null);
  return (
    <Dialog open={open} onClose={onClose} maxWidth="xs" fullWidth aria-labelledby="class-dialog-title">
      <DialogTitle id="class-dialog-title" sx={{ typography: "h3" }}>
        {text.detector.dialogTitle}
      </DialogTitle>
      <DialogContent>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 2 }}>
          {text.detector.dialogText}
        </Typography>
        <RadioGroup
          aria-labelledby="class-dialog-title"
          value={label ?? ""}
          onChange={(_event, value) => setLabel(value as FaceClass)}
          sx={{ gap: 1 }}
        >
          {FACE_CLASSES.map((faceClass) => (
            <FormControlLabel
              key={faceClass}
              value={faceClass}
              control={<Radio />}
              label={
                <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
                  <FaceClassDot faceClass={faceClass} />
                  <Box sx={{ lineHeight: 1.35 }}>
                    {text.face[faceClass].name}
                    {faceClass === predicted && (
                      <Typography variant="body2" color="textSecondary">
                        {text.detector.dialogMine}
                      </Typography>
                    )}
                  </Box>
                </Box>
              }
              slotProps={{ typography: { component: "div" } }}
              sx={{
                m: 0,
                px: 1,
                py: 0.5,
                borderRadius: 3,
                border: 1.5,
                borderColor: label === faceClass ? "primary.main" : "divider",
                bgcolor: label === faceClass ? "primary.light" : "transparent",
              }}
            />
          ))}
        </RadioGroup>
        {error !== null && (
          <Box sx={{ mt: 2 }}>
            <ProblemAlert error={error} />
          </Box>
        )}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3 }}>
        <Button onClick={onClose}>{text.detector.dialogCancel}</Button>
        <Button variant="contained" disabled={!label} loading={saving} onClick={() => label && onSave(label)}>
          {text.detector.dialogSave}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
