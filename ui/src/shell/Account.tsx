import { IconButton, Tooltip } from "@mui/material";
import { LogIn, LogOut } from "lucide-react";
import { useEffect, useState } from "react";
import { useSession, useSignOut } from "../api/session";
import { onSignInNeeded } from "../api/signInNeeded";
import { useText } from "../text";
import { useNotice } from "./notice";
import { SignInDialog } from "./SignInDialog";

/** Sign in or out. The dialog also opens by itself where a call needs to know who asks. */
export function Account() {
  const text = useText();
  const say = useNotice();
  const { data: session } = useSession();
  const { mutate: signOut } = useSignOut();
  const [open, setOpen] = useState(false);
  useEffect(() => onSignInNeeded(() => setOpen(true)), []);
  // A server without accounts knows everyone who reaches it for its admin.
  if (!session?.accounts) return null;
  const known = session.kind !== "anonymous";
  const label = known ? text.account.signOut(session.name) : text.account.signIn;
  return (
    <>
      <Tooltip title={label}>
        <IconButton
          aria-label={label}
          color="inherit"
          onClick={() =>
            known
              ? signOut(undefined, {
                  onSuccess: () => say(text.account.signedOut),
                  onError: () => say(text.problem.noAnswer, "error"),
                })
              : setOpen(true)
          }
        >
          {known ? <LogOut size={20} /> : <LogIn size={20} />}
        </IconButton>
      </Tooltip>
      <SignInDialog open={open} onClose={() => setOpen(false)} />
    </>
  );
}
