import { Box, Button, DialogActions, DialogContent, DialogTitle, TextField, Typography } from "@mui/material";
import { Check, Copy } from "lucide-react";
import { useRef, useState } from "react";
import type { MadeKey as Made } from "../../../api/types";
import { useText } from "../../../text";

/** The secret, shown this once. */
export function MadeKey({ made, onClose }: { made: Made; onClose: () => void }) {
  const words = useText().settings.key;
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    // Browsers give pages that came over plain HTTP no clipboard: the key is selected then, for Ctrl + C.
    field.current?.select();
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    void navigator.clipboard?.writeText(made.key).then(() => setCopied(true));
  };
  return (
    <>
      <DialogTitle id="make-key-title" sx={{ typography: "h3" }}>
        {words.madeTitle}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, gridTemplateColumns: "minmax(0, 1fr)" }}>
        <Typography color="textSecondary">{words.madeText}</Typography>
        <Box sx={{ display: "flex", gap: 1, alignItems: "center" }}>
          <TextField
            fullWidth
            margin="dense"
            label={words.secret}
            value={made.key}
            inputRef={field}
            slotProps={{
              htmlInput: {
                readOnly: true,
                spellCheck: false,
                style: { fontFamily: "ui-monospace, monospace", fontSize: 14 },
              },
            }}
            onFocus={(event) => (event.target as HTMLInputElement).select()}
          />
          <Button
            variant="contained"
            startIcon={copied ? <Check size={18} /> : <Copy size={18} />}
            onClick={copy}
            sx={{ flexShrink: 0 }}
          >
            <span role="status">{copied ? words.copied : words.copy}</span>
          </Button>
        </Box>
        <div>
          <Typography variant="body2" color="textSecondary" sx={{ mb: 0.5 }}>
            {words.example}
          </Typography>
          <Box
            component="pre"
            // Scrolls sideways, so the keyboard has to reach it.
            tabIndex={0}
            sx={{ m: 0, p: 1.5, borderRadius: 3, bgcolor: "action.hover", overflowX: "auto", fontSize: "0.8125rem" }}
          >
            {`curl -H "Authorization: Bearer $KEY" ${window.location.origin}/backend/model/detector`}
          </Box>
        </div>
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3 }}>
        <Button onClick={onClose}>{words.done}</Button>
      </DialogActions>
    </>
  );
}
