import {
  Box,
  Button,
  Checkbox,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControlLabel,
  MenuItem,
  TextField,
  Typography,
} from "@mui/material";
import { useState } from "react";
import { useMakeKey } from "../../../api/apiKeys";
import type { Scope } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { expiryAfter } from "./counts";
import { MadeKey } from "./MadeKey";

const SCOPES: readonly Scope[] = ["inference", "settings", "models", "datasets", "trainings", "uploads", "admin"];
const DAYS = [0, 30, 90, 365];

/** What it is for, what it may, how long; then the secret, once. */
export function MakeKeyDialog({ onClose }: { onClose: () => void }) {
  const text = useText();
  const words = text.settings.key;
  const { mutate, isPending, error, data: made } = useMakeKey();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["inference"]);
  const [days, setDays] = useState(90);
  const toggle = (scope: Scope) =>
    setScopes((now) => (now.includes(scope) ? now.filter((other) => other !== scope) : [...now, scope]));
  const all = scopes.includes("admin");
  return (
    // Once the secret is shown, a press beside the dialog must not lose it.
    <Dialog open onClose={made ? undefined : onClose} maxWidth="sm" fullWidth aria-labelledby="make-key-title">
      {made ? (
        <MadeKey made={made} onClose={onClose} />
      ) : (
        <Box
          component="form"
          sx={{ display: "contents" }}
          onSubmit={(event) => {
            event.preventDefault();
            mutate({
              name: name.trim(),
              scopes: all ? ["admin"] : [...scopes],
              expires_at: expiryAfter(days, Date.now()),
            });
          }}
        >
          <DialogTitle id="make-key-title" sx={{ typography: "h3" }}>
            {words.make}
          </DialogTitle>
          <DialogContent sx={{ display: "grid", gap: 2, gridTemplateColumns: "minmax(0, 1fr)", alignContent: "start" }}>
            <TextField
              label={words.name}
              placeholder={words.namePlaceholder}
              value={name}
              required
              margin="dense"
              onChange={(event) => setName(event.target.value)}
              slotProps={{ htmlInput: { maxLength: 80 } }}
            />
            <Box component="fieldset" sx={{ border: 0, p: 0, m: 0, minWidth: 0 }}>
              <Typography component="legend" variant="h4" sx={{ p: 0, mb: 0.5 }}>
                {words.may}
              </Typography>
              {SCOPES.map((scope) => {
                const [title, detail] = words.scope[scope] ?? [scope, ""];
                return (
                  <FormControlLabel
                    key={scope}
                    control={
                      <Checkbox
                        checked={all || scopes.includes(scope)}
                        disabled={all && scope !== "admin"}
                        onChange={() => toggle(scope)}
                        sx={{ py: 0.5 }}
                      />
                    }
                    label={
                      <>
                        <Box component="span" sx={{ fontWeight: 600 }}>
                          {title}
                        </Box>{" "}
                        <Box component="span" sx={{ color: "text.secondary", typography: "body2" }}>
                          {detail}
                        </Box>
                      </>
                    }
                    sx={{
                      display: "flex",
                      mr: 0,
                      alignItems: "flex-start",
                      "& .MuiFormControlLabel-label": { pt: 0.5 },
                    }}
                  />
                );
              })}
            </Box>
            <TextField
              select
              label={words.until}
              value={days}
              onChange={(event) => setDays(Number(event.target.value))}
            >
              {DAYS.map((each) => (
                <MenuItem key={each} value={each}>
                  {words.untilValue[each]}
                </MenuItem>
              ))}
            </TextField>
            {error && <ProblemAlert error={error} />}
          </DialogContent>
          <DialogActions sx={{ px: 3, pb: 3 }}>
            <Button onClick={onClose}>{text.settings.cancel}</Button>
            <Button
              type="submit"
              variant="contained"
              loading={isPending}
              disabled={name.trim() === "" || scopes.length === 0}
            >
              {words.submit}
            </Button>
          </DialogActions>
        </Box>
      )}
    </Dialog>
  );
}
