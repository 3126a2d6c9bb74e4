import { Box, ButtonBase, IconButton, Tooltip, Typography } from "@mui/material";
import { TriangleAlert, X } from "lucide-react";
import { FaceClassDot } from "../../components/FaceClassDot";
import { type Text, useText } from "../../text";
import type { Check } from "./checks";
import { useChecks } from "./checksContext";

/** The pictures of this visit; pressing one puts it on the table again. */
export function History() {
  const text = useText();
  const { list, current, show, remove } = useChecks();
  return (
    <Box component="section" aria-labelledby="history-heading">
      <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, mb: 1.5 }}>
        <Typography variant="h4" component="h2" id="history-heading">
          {text.detector.history}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {text.detector.historyHint}
        </Typography>
      </Box>
      <Box
        component="ul"
        aria-labelledby="history-heading"
        sx={{ listStyle: "none", m: 0, p: 0, display: "flex", flexWrap: "wrap", gap: 1.25 }}
      >
        {list.map((check) => (
          <Box
            component="li"
            key={check.id}
            sx={{ position: "relative", "&:hover .x, &:focus-within .x": { opacity: 1 } }}
          >
            <Tooltip title={text.detector.historyItem(check.name, stateOf(check, text))}>
              <ButtonBase
                aria-label={text.detector.historyItem(check.name, stateOf(check, text))}
                aria-current={check.id === current}
                onClick={() => show(check.id)}
                sx={{
                  width: 72,
                  height: 72,
                  borderRadius: 3,
                  overflow: "hidden",
                  bgcolor: "action.selected",
                  boxShadow:
                    check.id === current
                      ? "0 0 0 2px var(--mui-palette-background-default), 0 0 0 5px var(--mui-palette-primary-main)"
                      : "none",
                  opacity: check.state === "waiting" || check.state === "asking" ? 0.55 : 1,
                }}
              >
                <Thumbnail check={check} />
              </ButtonBase>
            </Tooltip>
            <IconButton
              className="x"
              aria-label={`${text.detector.remove}: ${check.name}`}
              onClick={() => remove(check)}
              sx={{
                position: "absolute",
                top: -8,
                right: -8,
                p: 0.375,
                opacity: 0,
                bgcolor: "text.primary",
                color: "background.paper",
                "&:hover": { bgcolor: "text.secondary" },
                "@media (hover: none)": { opacity: 1 },
              }}
            >
              <X size={14} strokeWidth={3} />
            </IconButton>
          </Box>
        ))}
      </Box>
    </Box>
  );
}

function Thumbnail({ check }: { check: Check }) {
  const called = check.label ?? check.answer?.verdict?.called;
  if (check.state === "failed") return <TriangleAlert size={24} aria-hidden />;
  return (
    <>
      <img src={check.preview} alt="" width={72} height={72} style={{ objectFit: "cover" }} />
      {called && (
        <Box
          sx={{
            position: "absolute",
            left: 5,
            bottom: 5,
            display: "flex",
            p: 0.5,
            borderRadius: 9,
            bgcolor: "background.paper",
          }}
        >
          <FaceClassDot faceClass={called} />
        </Box>
      )}
    </>
  );
}

function stateOf(check: Check, text: Text): string {
  const called = check.label ?? check.answer?.verdict?.called;
  switch (check.state) {
    case "waiting":
      return text.detector.historyWaiting;
    case "asking":
      return text.detector.historyAsking;
    case "failed":
      return text.detector.historyFailed;
    case "answered":
      return called ? text.face[called].name : text.detector.historyFailed;
  }
}
