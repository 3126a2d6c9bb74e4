import { Box, Skeleton } from "@mui/material";

/** The place of a face that is on its way. No list item: it is not a face yet. */
export function TileSkeleton() {
  return (
    <Box component="li" role="presentation" aria-hidden sx={{ aspectRatio: "1" }}>
      <Skeleton variant="rounded" sx={{ width: "100%", height: "100%", borderRadius: 4 }} />
    </Box>
  );
}
