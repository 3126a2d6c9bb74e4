import { Box, LinearProgress, Typography } from "@mui/material";
import { useEffect, useState } from "react";

/** The server is at it, for as long as is shown: nobody knows how long it will take. */
export function Trying({ children }: { children: string }) {
  const [began] = useState(() => Date.now());
  const [now, setNow] = useState(began);
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(clock);
  }, []);
  const seconds = Math.max(0, Math.floor((now - began) / 1_000));
  return (
    <Box>
      <Box sx={{ display: "flex", gap: 2, mb: 1, typography: "body2" }}>
        <Typography variant="body2" role="status" sx={{ flex: 1 }}>
          {children}
        </Typography>
        {/* Not read out: it changes each second. */}
        <Box component="span" aria-hidden sx={{ fontVariantNumeric: "tabular-nums", color: "text.secondary" }}>
          {`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`}
        </Box>
      </Box>
      <LinearProgress aria-label={children} sx={{ height: 6, borderRadius: 9 }} />
    </Box>
  );
}
