import { Alert, Box, Button, TextField } from "@mui/material";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { ProblemError } from "../../api/problem";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";
import type { WebPicture } from "./useWebPicture";
import { typedAddress } from "./webAddress";

/** Where the address of a picture on the web is typed. */
export function WebPictureForm({ web }: { web: WebPicture }) {
  const text = useText();
  const [refused, setRefused] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    field.current?.focus();
    return () => {
      // Nothing has the focus where it went with the field.
      if (document.activeElement === document.body && opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const address = typedAddress(web.address);
    setRefused(address === null);
    if (address) web.fetch(address);
  };
  return (
    <Box
      component="form"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => event.key === "Escape" && !web.fetching && web.setOpen(false)}
      sx={{ width: "100%", maxWidth: 520, display: "grid", gap: 1.5, textAlign: "start" }}
    >
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "flex-start", gap: 1 }}>
        <TextField
          inputRef={field}
          size="small"
          label={text.detector.webAddress}
          placeholder="https://"
          value={web.address}
          onChange={(event) => {
            setRefused(false);
            web.setAddress(event.target.value);
          }}
          error={refused}
          helperText={refused ? text.detector.webNone : web.fetching ? text.detector.webGetting : undefined}
          slotProps={{
            htmlInput: {
              readOnly: web.fetching,
              inputMode: "url",
              autoCapitalize: "none",
              autoComplete: "off",
              spellCheck: false,
              maxLength: 2048,
            },
            formHelperText: { role: "status" },
          }}
          sx={{ flex: "1 1 200px" }}
        />
        <Button type="submit" variant="contained" loading={web.fetching} sx={{ minHeight: 40 }}>
          {text.detector.webGet}
        </Button>
      </Box>
      {web.error !== null && <WebProblem error={web.error} />}
    </Box>
  );
}

/** In the person's language where it is one of the usual ones. */
function WebProblem({ error }: { error: unknown }) {
  const { webProblems } = useText().detector;
  const kind = error instanceof ProblemError ? error.problem?.type.split("/").at(-1) : undefined;
  const said = kind ? webProblems[kind] : undefined;
  return said ? <Alert severity="error">{said}</Alert> : <ProblemAlert error={error} />;
}
