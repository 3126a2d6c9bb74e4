import { Alert, AlertTitle, Button } from "@mui/material";
import { useText } from "../text";
import { problemText } from "./problemText";

interface ProblemAlertProps {
  error: unknown;
  onRetry?: () => void;
}

/** What went wrong, in the server's words, and another try. */
export function ProblemAlert({ error, onRetry }: ProblemAlertProps) {
  const text = useText();
  const { title, detail } = problemText(error, text);
  return (
    <Alert
      severity="error"
      action={
        onRetry && (
          <Button color="inherit" size="small" onClick={onRetry} sx={{ whiteSpace: "nowrap", minHeight: 40 }}>
            {text.problem.again}
          </Button>
        )
      }
    >
      <AlertTitle>{title}</AlertTitle>
      {detail}
    </Alert>
  );
}
