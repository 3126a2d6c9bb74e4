import { Alert, Box, Button, Checkbox, FormControlLabel, Typography } from "@mui/material";
import { useMutation } from "@tanstack/react-query";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useRef, useState } from "react";
import { labelImage } from "../../api/classify";
import type { FaceClass } from "../../api/types";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";
import type { Check } from "./checks";
import { useChecks } from "./checksContext";
import { ClassDialog } from "./ClassDialog";

/** The person's word: agree files the picture under the robot's answer, disagree asks what it is. */
export function Feedback({ check }: { check: Check }) {
  const text = useText();
  const { setLabel } = useChecks();
  const [open, setOpen] = useState(false);
  const [share, setShare] = useState(false);
  const justSaid = useRef(false);
  const image = check.answer?.image;
  const predicted = check.answer?.verdict?.called;
  const { mutate, isPending, error, variables } = useMutation({
    mutationFn: (label: FaceClass) => labelImage({ image: image ?? "", label, predicted: predicted ?? null, share }),
    onSuccess: (kept) => {
      justSaid.current = true;
      setLabel(check, kept.label);
      setOpen(false);
    },
  });
  if (!predicted) return null;
  if (!image) return <Typography color="textSecondary">{text.detector.notStored}</Typography>;
  const dialog = (
    <ClassDialog
      open={open}
      predicted={predicted}
      saving={isPending}
      error={error}
      onSave={(label) => mutate(label)}
      onClose={() => setOpen(false)}
    />
  );
  if (check.label) {
    const { name } = text.face[check.label];
    return (
      <>
        <Alert
          // The buttons that had the focus are gone; without this the keyboard starts at the top of the page.
          ref={(alert) => {
            if (justSaid.current) alert?.focus();
            justSaid.current = false;
          }}
          tabIndex={-1}
          severity="success"
          action={
            <Button color="inherit" size="small" onClick={() => setOpen(true)}>
              {text.detector.change}
            </Button>
          }
        >
          {check.label === predicted ? text.detector.thanksAgree(name) : text.detector.thanksDisagree(name)}
        </Alert>
        {dialog}
      </>
    );
  }
  return (
    <Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1.5 }}>
        <Typography variant="h4" component="h2" sx={{ flex: { xs: "1 0 100%", sm: "0 1 auto" }, mr: 1 }}>
          {text.detector.right}
        </Typography>
        <Button
          variant="contained"
          startIcon={<ThumbsUp size={18} />}
          loading={isPending && !open}
          loadingPosition="start"
          onClick={() => mutate(predicted)}
        >
          {text.detector.agree}
        </Button>
        <Button variant="outlined" color="secondary" startIcon={<ThumbsDown size={18} />} onClick={() => setOpen(true)}>
          {text.detector.disagree}
        </Button>
      </Box>
      <FormControlLabel
        control={<Checkbox checked={share} onChange={(_event, checked) => setShare(checked)} />}
        label={text.detector.share}
        slotProps={{ typography: { variant: "body2", color: "textSecondary" } }}
        sx={{ mt: 1 }}
      />
      {error && !open && (
        <Box sx={{ mt: 2 }}>
          <ProblemAlert error={error} onRetry={() => mutate(variables)} />
        </Box>
      )}
      {dialog}
    </Box>
  );
}
