import { Box, Button, Dialog, DialogActions, DialogContent, DialogTitle, Typography } from "@mui/material";
import { type ReactNode, useId } from "react";
import { useText } from "../text";
import { ProblemAlert } from "./ProblemAlert";

interface ConfirmDialogProps {
  open: boolean;
  title: string;
  detail: string;
  /** What to know besides. */
  children?: ReactNode;
  /** Of the button that does it. */
  action: string;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something is lost. Where it was refused, it says why. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, title, detail, children, action, pending, error, onConfirm, onClose } = props;
  const text = useText();
  const id = useId();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      maxWidth="xs"
      fullWidth
      role="alertdialog"
      aria-labelledby={id}
      aria-describedby={`${id}-detail`}
    >
      <DialogTitle id={id} sx={{ typography: "h3", overflowWrap: "anywhere" }}>
        {title}
      </DialogTitle>
      <DialogContent>
        <Typography id={`${id}-detail`} color="textSecondary">
          {detail}
        </Typography>
        {children && <Box sx={{ mt: 2 }}>{children}</Box>}
        {error !== null && error !== undefined && (
          <Box sx={{ mt: 2 }}>
            <ProblemAlert error={error} />
          </Box>
        )}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3 }}>
        <Button onClick={onClose}>{text.account.cancel}</Button>
        <Button variant="contained" color="error" loading={pending} onClick={onConfirm}>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
