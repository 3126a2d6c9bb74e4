import { Alert, Snackbar } from "@mui/material";
import { type ReactNode, useCallback, useState } from "react";
import { type Notice, NoticeContext } from "./notice";

interface Said {
  message: string;
  severity: "success" | "info" | "error";
  /** Makes the same words, said twice, two notices. */
  number: number;
}

export function NoticeProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<Said | null>(null);
  const [open, setOpen] = useState(false);
  const say = useCallback<Notice>((message, severity = "success") => {
    setSaid((before) => ({ message, severity, number: (before?.number ?? 0) + 1 }));
    setOpen(true);
  }, []);
  return (
    <NoticeContext value={say}>
      {children}
      <Snackbar
        key={said?.number}
        open={open}
        autoHideDuration={said?.severity === "error" ? 9_000 : 4_500}
        onClose={(_event, reason) => reason !== "clickaway" && setOpen(false)}
        anchorOrigin={{ vertical: "bottom", horizontal: "center" }}
        sx={{ mb: { xs: "72px", md: 0 } }}
      >
        <Alert severity={said?.severity} variant="filled" onClose={() => setOpen(false)} sx={{ boxShadow: 8 }}>
          {said?.message}
        </Alert>
      </Snackbar>
    </NoticeContext>
  );
}
