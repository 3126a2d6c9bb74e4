import { Button, Skeleton } from "@mui/material";
import { Lock, LogIn } from "lucide-react";
import type { ReactNode } from "react";
import { may, useSession } from "../api/session";
import { tellSignInNeeded } from "../api/signInNeeded";
import type { Scope } from "../api/types";
import { useText } from "../text";
import { EmptyState } from "./EmptyState";
import { ProblemAlert } from "./ProblemAlert";

interface GateProps {
  /** What one has to be allowed to. */
  scope: Scope;
  /** What is behind it, for those who may not see it. */
  needs: string;
  /** What stands above it while it is closed. */
  head?: ReactNode;
  children: ReactNode;
}

/** Shows what is behind it to those who may see it, and to others what it is for and the way in. */
export function Gate({ scope, needs, head, children }: GateProps) {
  const words = useText().gate;
  const { data: session, error, refetch } = useSession();
  if (may(session, scope)) return children;
  return (
    <>
      {head}
      {session ? (
        <EmptyState
          icon={Lock}
          title={words.title}
          detail={session.kind === "anonymous" ? needs : words.notAllowed(session.name)}
        >
          <Button
            variant="contained"
            size="large"
            startIcon={<LogIn size={18} aria-hidden />}
            onClick={tellSignInNeeded}
          >
            {words.signIn}
          </Button>
        </EmptyState>
      ) : error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : (
        <Skeleton variant="rounded" height={260} sx={{ borderRadius: 5 }} />
      )}
    </>
  );
}
