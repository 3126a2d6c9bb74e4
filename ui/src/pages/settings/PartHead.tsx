import { Box, Typography } from "@mui/material";
import type { ReactNode } from "react";

interface PartHeadProps {
  title: string;
  lead: string;
  /** The one thing to do here. */
  action?: ReactNode;
}

/** What a part is, and the one thing to do in it. */
export function PartHead({ title, lead, action }: PartHeadProps) {
  return (
    <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "flex-end", gap: 2, mb: 3 }}>
      <Box sx={{ flex: "1 1 320px", minWidth: 0 }}>
        <Typography variant="h3" component="h2">
          {title}
        </Typography>
        <Typography color="textSecondary" sx={{ maxWidth: "68ch", mt: 0.5 }}>
          {lead}
        </Typography>
      </Box>
      {action}
    </Box>
  );
}
