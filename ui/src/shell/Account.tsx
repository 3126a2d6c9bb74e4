import { LogIn, LogOut } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { useSession, useSignOut } from "../api/session";
import { onSignInNeeded } from "../api/signInNeeded";
import { Hint } from "../components/Hint";
import { useText } from "../text";
import { useNotice } from "./notice";
import type { SignInDialog } from "./SignInDialog";

/** Sign in or out. The dialog also opens by itself where a call needs to know who asks. */
export function Account() {
  const text = useText();
  const say = useNotice();
  const { data: session } = useSession();
  const { mutate: signOut } = useSignOut();
  const [open, setOpen] = useState(false);
  // Few people sign in: what they need for it comes when they do.
  const [Dialog, setDialog] = useState<typeof SignInDialog | null>(null);
  const ask = useCallback(() => {
    import("./SignInDialog").then(
      ({ SignInDialog }) => {
        setDialog(() => SignInDialog);
        setOpen(true);
      },
      () => say(text.problem.noAnswer, "error"),
    );
  }, [say, text]);
  useEffect(() => onSignInNeeded(ask), [ask]);
  // A server without accounts knows everyone who reaches it for its admin.
  if (!session?.accounts) return null;
  const known = session.kind !== "anonymous";
  const label = known ? text.account.signOut(session.name) : text.account.signIn;
  return (
    <>
      <Hint words={label}>
        <button
          type="button"
          className="top-bar-button"
          aria-label={label}
          onClick={() =>
            known
              ? signOut(undefined, {
                  onSuccess: () => say(text.account.signedOut),
                  onError: () => say(text.problem.noAnswer, "error"),
                })
              : ask()
          }
        >
          {known ? <LogOut size={20} /> : <LogIn size={20} />}
        </button>
      </Hint>
      {Dialog && <Dialog open={open} onClose={() => setOpen(false)} />}
    </>
  );
}
