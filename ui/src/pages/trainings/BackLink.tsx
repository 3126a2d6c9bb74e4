import { Link as MuiLink } from "@mui/material";
import { ArrowLeft } from "lucide-react";
import { Link } from "react-router";

export function BackLink({ to, children }: { to: string; children: string }) {
  return (
    <MuiLink
      component={Link}
      to={to}
      color="textSecondary"
      underline="hover"
      sx={{ display: "inline-flex", alignItems: "center", gap: 0.75, mb: 1.5, fontWeight: 550, py: 0.5 }}
    >
      <ArrowLeft size={18} aria-hidden />
      {children}
    </MuiLink>
  );
}
