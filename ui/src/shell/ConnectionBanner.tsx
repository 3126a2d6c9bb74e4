import { Collapse } from "@mui/material";
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
    <div role="status" aria-live="polite" className="banner">
      <Collapse in={message !== null} unmountOnExit>
        <div className="banner-words">
          <Icon size={18} aria-hidden />
          {message}
        </div>
      </Collapse>
    </div>
  );
}
