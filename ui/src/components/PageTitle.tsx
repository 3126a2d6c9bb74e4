import { Box, Typography } from "@mui/material";

export function PageTitle({ title, lead }: { title: string; lead: string }) {
  return (
    <Box sx={{ mb: { xs: 3, md: 4 } }}>
      <title>{`${title} · VisionLab`}</title>
      <Typography variant="h2" component="h1">
        {title}
      </Typography>
      <Typography variant="subtitle1" component="p" color="textSecondary" sx={{ mt: 0.75 }}>
        {lead}
      </Typography>
    </Box>
  );
}
