import { Box, Skeleton } from "@mui/material";
import { useText } from "../text";

/** Stands in for a page whose code is on its way. */
export function PageLoading() {
  const text = useText();
  return (
    <Box role="status" aria-label={text.shell.loadingPage}>
      <Skeleton variant="text" sx={{ width: "min(420px, 80%)", height: 56 }} />
      <Skeleton variant="text" sx={{ width: "min(560px, 95%)", height: 28, mb: 3 }} />
      <Skeleton variant="rounded" sx={{ height: 320, borderRadius: 5 }} />
    </Box>
  );
}
