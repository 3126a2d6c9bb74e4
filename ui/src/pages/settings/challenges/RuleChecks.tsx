import { Box, Typography } from "@mui/material";
import { Check, X } from "lucide-react";
import type { Challenge } from "../../../api/types";
import { useText } from "../../../text";

/** How the challenger did by each part of the rule, in the server's words. */
export function RuleChecks({ checks }: { checks: Challenge["verdict"] }) {
  const words = useText().settings.challenge;
  if (checks.length === 0) return null;
  return (
    <Box sx={{ mt: 3 }}>
      <Typography variant="h4" component="h4" sx={{ mb: 0.5 }}>
        {words.rule}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, typography: "body2" }}>
        {checks.map((check) => (
          <Box component="li" key={check.name} sx={{ display: "flex", gap: 1, py: 0.5 }}>
            <Box
              component="span"
              role="img"
              aria-label={check.passed ? words.passed : words.missed}
              sx={{ display: "flex", pt: "2px", color: check.passed ? "success.main" : "error.main" }}
            >
              {check.passed ? <Check size={17} strokeWidth={3} /> : <X size={17} strokeWidth={3} />}
            </Box>
            {check.says}
          </Box>
        ))}
      </Box>
    </Box>
  );
}
