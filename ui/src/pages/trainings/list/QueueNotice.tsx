import { Alert, AlertTitle, Box, Button } from "@mui/material";
import { useProcessQueue } from "../../../api/trainings";
import type { Training } from "../../../api/types";
import { problemText } from "../../../components/problemText";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";

/** Why those that wait are not started; said once, as it is the same for all of them. */
export function QueueNotice({ trainings }: { trainings: Training[] }) {
  const text = useTrainingsText();
  const words = text.trainings.list;
  const say = useNotice();
  const { mutate, isPending } = useProcessQueue();
  const reasons = [...new Set(trainings.filter(({ status }) => status === "pending").map(({ reason }) => reason))];
  const stuck = reasons.filter((reason) => reason !== null);
  if (stuck.length === 0) return null;
  return (
    <Box sx={{ mb: 2 }}>
      <Alert
        severity="warning"
        action={
          <Button
            color="inherit"
            size="small"
            loading={isPending}
            onClick={() =>
              mutate(undefined, {
                onSuccess: ({ reason }) => say(reason ?? words.triedNow, reason ? "error" : "info"),
                onError: (problem) => say(problemText(problem, text).detail, "error"),
              })
            }
            sx={{ whiteSpace: "nowrap" }}
          >
            {words.tryNow}
          </Button>
        }
      >
        <AlertTitle>{words.stuck}</AlertTitle>
        {stuck.map((reason) => (
          <Box key={reason}>{reason}</Box>
        ))}
      </Alert>
    </Box>
  );
}
