import { Box, Button } from "@mui/material";
import { isGoingOn, type Decision, useDecide } from "../../../api/challenges";
import { may, useSession } from "../../../api/session";
import type { Challenge } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";

/** What can be decided now. */
export function Decisions({ challenge }: { challenge: Challenge }) {
  const words = useText().settings.challenge;
  const say = useNotice();
  const { data: session } = useSession();
  const { mutate, isPending, variables, error } = useDecide();
  const possible = decisionsFor(challenge).filter((decision) =>
    may(session, decision === "cancel" ? "trainings" : "models"),
  );
  if (possible.length === 0) return null;
  return (
    <Box sx={{ mt: 2.5 }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
        {possible.map((decision) => (
          <Button
            key={decision}
            variant={decision === "accept" ? "contained" : "outlined"}
            color={decision === "cancel" ? "inherit" : "primary"}
            loading={isPending && variables.decision === decision}
            disabled={isPending}
            onClick={() => mutate({ uuid: challenge.uuid, decision }, { onSuccess: () => say(words.done[decision]) })}
          >
            {words[decision]}
          </Button>
        ))}
      </Box>
      {error && (
        <Box sx={{ mt: 2 }}>
          <ProblemAlert error={error} />
        </Box>
      )}
    </Box>
  );
}

export function decisionsFor(challenge: Challenge): Decision[] {
  if (challenge.state === "proposed") return ["accept", "reject"];
  if (challenge.state === "switched") return ["rollback"];
  return isGoingOn(challenge) ? ["cancel"] : [];
}
