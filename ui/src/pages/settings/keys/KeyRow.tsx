import { Box, Button, Chip, Typography } from "@mui/material";
import type { Key } from "../../../api/types";
import { useText } from "../../../text";
import { day } from "../../../numbers";
import { counts } from "./counts";

interface KeyRowProps {
  value: Key;
  /** milliseconds since 1970 */
  now: number;
  /** Left out for keys that count no more. */
  onRevoke?: () => void;
}

export function KeyRow({ value, now, onRevoke }: KeyRowProps) {
  const text = useText();
  const words = text.settings.key;
  const on = counts(value, now);
  const when = [
    words.made(day(value.created_at, text.language)),
    value.last_used_at ? words.used(day(value.last_used_at, text.language)) : words.neverUsed,
    ...(value.expires_at ? [words.expires(day(value.expires_at, text.language))] : []),
  ];
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        columnGap: 2,
        rowGap: 1,
        px: { xs: 2, sm: 2.5 },
        py: 2,
        "& + &": { borderTop: 1, borderColor: "divider" },
      }}
    >
      <Box sx={{ flex: "1 1 260px", minWidth: 0 }}>
        <Typography sx={{ fontWeight: 650, overflowWrap: "anywhere" }}>
          {value.name}
          <Box component="code" sx={{ ml: 1.25, fontWeight: 400, fontSize: "0.8125rem", color: "text.secondary" }}>
            {value.prefix}…
          </Box>
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {when.join(" · ")}
        </Typography>
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75 }}>
        {!on && <Chip size="small" variant="outlined" label={value.revoked_at ? words.revokedState : words.expired} />}
        {value.scopes.map((scope) => (
          <Chip
            key={scope}
            size="small"
            label={words.scope[scope]?.[0] ?? scope}
            color={scope === "admin" ? "secondary" : "default"}
          />
        ))}
      </Box>
      {onRevoke && (
        <Button
          size="small"
          color="error"
          aria-label={words.revokeOf(value.name)}
          onClick={onRevoke}
          sx={{ ml: "auto" }}
        >
          {words.revoke}
        </Button>
      )}
    </Box>
  );
}
