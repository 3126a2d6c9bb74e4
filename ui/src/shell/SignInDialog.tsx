import {
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  Divider,
  TextField,
  Typography,
} from "@mui/material";
import { useRef, useState } from "react";
import { useSession, useSignIn } from "../api/session";
import { ProblemAlert } from "../components/ProblemAlert";
import { useText } from "../text";
import { useNotice } from "./notice";

/** Sign in with the admin token or an API key. */
export function SignInDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const text = useText();
  const say = useNotice();
  const field = useRef<HTMLInputElement>(null);
  const [token, setToken] = useState("");
  const { data: session } = useSession();
  const { mutate, isPending, error, reset } = useSignIn();
  const close = () => {
    setToken("");
    reset();
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      maxWidth="xs"
      fullWidth
      aria-labelledby="sign-in-title"
      slotProps={{ transition: { onEntered: () => field.current?.focus() } }}
    >
      <Box
        component="form"
        onSubmit={(event) => {
          event.preventDefault();
          mutate(token.trim(), {
            onSuccess: ({ name }) => {
              say(text.account.signedIn(name));
              close();
            },
          });
        }}
      >
        <DialogTitle id="sign-in-title" sx={{ typography: "h3" }}>
          {text.account.title}
        </DialogTitle>
        <DialogContent>
          <Typography variant="body2" color="textSecondary" sx={{ mb: 2 }}>
            {text.account.lead}
          </Typography>
          {session?.provider && (
            <>
              <Button href="/backend/session/oidc" variant="contained" fullWidth>
                {text.account.withProvider(session.provider)}
              </Button>
              <Divider sx={{ my: 2 }}>{text.account.or}</Divider>
            </>
          )}
          <TextField
            label={text.account.token}
            type="password"
            autoComplete="current-password"
            inputRef={field}
            required
            fullWidth
            margin="dense"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
          {error !== null && (
            <Box sx={{ mt: 2 }}>
              <ProblemAlert error={error} />
            </Box>
          )}
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 3 }}>
          <Button onClick={close}>{text.account.cancel}</Button>
          <Button type="submit" variant="contained" loading={isPending} disabled={token.trim() === ""}>
            {text.account.signIn}
          </Button>
        </DialogActions>
      </Box>
    </Dialog>
  );
}
