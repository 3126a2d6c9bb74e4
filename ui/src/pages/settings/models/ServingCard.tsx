import { Box, Card, Skeleton, Typography } from "@mui/material";
import type { ReactNode } from "react";
import { useStatus } from "../../../api/status";
import { useText } from "../../../text";
import { StateDot } from "./ModelState";

/** How serving fares as a whole. */
export function ServingCard() {
  const text = useText();
  const words = text.settings.system;
  const { data: status, isPending } = useStatus();
  if (isPending) return <Skeleton variant="rounded" height={168} sx={{ borderRadius: 5 }} />;
  // The banner says that the server does not answer.
  if (!status) return null;
  return (
    <Card component="section" aria-labelledby="serving-heading" sx={{ p: 2.5 }}>
      <Typography variant="h4" component="h2" id="serving-heading">
        {words.title}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mt: 0.25, mb: 1.5 }}>
        {words.engine[status.serving]}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 0.75, typography: "body2" }}>
        {(["ready", "loading", "failed", "disabled"] as const).map((state) => {
          const count = status.counts[state] ?? 0;
          return (
            (count > 0 || state === "ready") && (
              <Line key={state} name={words[state]} value={count.toLocaleString(text.language)}>
                <StateDot state={state} />
              </Line>
            )
          );
        })}
        <Line name={words.store} value={status.store === "ready" ? words.storeReady : words.storeAway}>
          <StateDot state={status.store === "ready" ? "ready" : "failed"} />
        </Line>
      </Box>
      {status.store_problem && (
        <Typography variant="body2" color="error" sx={{ mt: 1 }}>
          {status.store_problem}
        </Typography>
      )}
    </Card>
  );
}

function Line({ name, value, children }: { name: string; value: string; children: ReactNode }) {
  return (
    <Box component="li" sx={{ display: "flex", alignItems: "center", gap: 1 }}>
      {children}
      <Box component="span" sx={{ flex: 1 }}>
        {name}
      </Box>
      <Box component="span" sx={{ fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
        {value}
      </Box>
    </Box>
  );
}
