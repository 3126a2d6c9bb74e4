import { Alert, AlertTitle, Button } from "@mui/material";
import { useText } from "../text";
import { problemText } from "./problemText";

interface ProblemAlertProps {
  error: unknown;
  onRetry?: () => void;
  /** Whether it is all of the page: its title is the page's. */
  page?: boolean;
}

/** What went wrong, in the server's words, and another try. */
export function ProblemAlert({ error, onRetry, page = false }: ProblemAlertProps) {
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
      {page && <title>{`${title} · VisionLab`}</title>}
      <AlertTitle component={page ? "h1" : "div"}>{title}</AlertTitle>
      {detail}
    </Alert>
  );
}
