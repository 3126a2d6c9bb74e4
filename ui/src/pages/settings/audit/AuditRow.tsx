import { Box, Chip, Typography } from "@mui/material";
import type { AuditEntry } from "../../../api/types";
import { useText } from "../../../text";
import { detailPairs } from "./byDay";

export function AuditRow({ entry }: { entry: AuditEntry }) {
  const text = useText();
  const words = text.settings.audit;
  const refused = entry.status !== null && entry.status >= 400;
  const pairs = detailPairs(entry.detail);
  return (
    <Box
      component="li"
      sx={{
        display: "grid",
        gridTemplateColumns: { xs: "4.6em minmax(0, 1fr)", sm: "4.6em minmax(0, 1fr) auto" },
        columnGap: 2,
        py: 1.25,
        borderTop: 1,
        borderColor: "divider",
      }}
    >
      <Box
        component="time"
        dateTime={entry.at}
        sx={{
          typography: "body2",
          color: "text.secondary",
          fontVariantNumeric: "tabular-nums",
          lineHeight: 1.7,
          whiteSpace: "nowrap",
        }}
      >
        {new Date(entry.at).toLocaleTimeString(text.language, { timeStyle: "short" })}
      </Box>
      <Box sx={{ minWidth: 0 }}>
        <Typography sx={{ fontWeight: 600, lineHeight: 1.45 }} title={`${entry.action} ${entry.target}`}>
          {words.acts[entry.action] ?? entry.action}
          {refused && (
            <Chip
              size="small"
              color="error"
              variant="outlined"
              label={words.refused(entry.status ?? 0)}
              sx={{ ml: 1 }}
            />
          )}
          {entry.status === null && <Chip size="small" variant="outlined" label={words.unfinished} sx={{ ml: 1 }} />}
        </Typography>
        {pairs.length > 0 && (
          <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: "anywhere" }}>
            {pairs.map(([name, value]) => `${name}: ${value}`).join(" · ")}
          </Typography>
        )}
      </Box>
      <Typography
        variant="body2"
        color="textSecondary"
        sx={{ gridColumn: { xs: 2, sm: "auto" }, lineHeight: { sm: 1.7 }, overflowWrap: "anywhere" }}
      >
        {entry.actor_name}
      </Typography>
    </Box>
  );
}
