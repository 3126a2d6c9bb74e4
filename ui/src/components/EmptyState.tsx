import { Box, Typography } from "@mui/material";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  detail: string;
  /** What the person can do about it. */
  children?: ReactNode;
  /** Whether it is all of the page: its title is the page's. */
  page?: boolean;
}

/** Nothing to show here: why, and the way on. */
export function EmptyState({ icon: Icon, title, detail, children, page = false }: EmptyStateProps) {
  return (
    <Box
      sx={{
        display: "grid",
        justifyItems: "center",
        textAlign: "center",
        gap: 1.5,
        px: 3,
        py: { xs: 6, md: 9 },
        border: "1.5px dashed",
        borderColor: "divider",
        borderRadius: 5,
      }}
    >
      <Box
        sx={{
          display: "grid",
          placeItems: "center",
          width: 64,
          height: 64,
          borderRadius: 4,
          bgcolor: "primary.light",
          color: "primary.main",
        }}
      >
        <Icon size={30} aria-hidden />
      </Box>
      {page && <title>{`${title} · VisionLab`}</title>}
      <Typography variant="h3" component={page ? "h1" : "h2"}>
        {title}
      </Typography>
      <Typography color="textSecondary" sx={{ maxWidth: "46ch" }}>
        {detail}
      </Typography>
      {children && <Box sx={{ mt: 1 }}>{children}</Box>}
    </Box>
  );
}
