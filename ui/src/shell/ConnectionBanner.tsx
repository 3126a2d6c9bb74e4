import { Box, Collapse } from "@mui/material";
import { CloudOff, LoaderCircle } from "lucide-react";
import { onlineManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ProblemError } from "../api/problem";
import { useStatus } from "../api/status";
import { useText } from "../text";

/** Says so where the network or the server is away; goes by itself when they are back. */
export function ConnectionBanner() {
  const text = useText();
  const online = useSyncExternalStore(
    (changed) => onlineManager.subscribe(changed),
    () => onlineManager.isOnline(),
  );
  const status = useStatus();
  const message = !online
    ? text.connection.offline
    : status.isError
      ? status.error instanceof ProblemError
        ? text.connection.busy
        : text.connection.noServer
      : status.data?.ready === false
        ? text.connection.notReady
        : null;
  const Icon = online ? LoaderCircle : CloudOff;
  return (
    <Box role="status" aria-live="polite" sx={{ position: "sticky", top: { xs: 56, sm: 64 }, zIndex: "appBar" }}>
      <Collapse in={message !== null} unmountOnExit>
        <Box
          sx={{
            display: "flex",
            alignItems: "center",
            justifyContent: "center",
            gap: 1.25,
            px: 2,
            py: 1,
            bgcolor: "secondary.light",
            color: "text.primary",
            typography: "body2",
            fontWeight: 550,
          }}
        >
          <Icon size={18} aria-hidden style={{ flexShrink: 0 }} />
          {message}
        </Box>
      </Collapse>
    </Box>
  );
}
