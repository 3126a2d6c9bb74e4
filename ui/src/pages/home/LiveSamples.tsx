import { Box, Button, Skeleton, Typography } from "@mui/material";
import { Images } from "lucide-react";
import { Link } from "react-router";
import { thumbnailUrl, useNewestImages } from "../../api/images";
import { EmptyState } from "../../components/EmptyState";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";

/** Fills a grid of four columns whose second picture is twice as large: 4 x 3 cells. */
const COUNT = 9;

/** The newest faces that were made here. */
export function LiveSamples() {
  const text = useText();
  const { data: images, error, isPending, refetch } = useNewestImages(COUNT);
  if (error && !images) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (images?.length === 0) {
    return (
      <EmptyState icon={Images} title={text.generator.emptyTitle} detail={text.home.noSamples}>
        <Button component={Link} to="/generator" variant="contained">
          {text.generator.emptyButton}
        </Button>
      </EmptyState>
    );
  }
  return (
    <Box component="section" aria-label={text.home.samples}>
      <Box
        sx={{
          display: "grid",
          gridTemplateColumns: "repeat(4, 1fr)",
          gap: { xs: 1, sm: 1.5 },
          "& > *": { aspectRatio: "1", width: "100%", height: "auto", borderRadius: { xs: 2.5, sm: 4 }, minWidth: 0 },
          "& > :nth-of-type(2)": { gridColumn: "span 2", gridRow: "span 2", borderRadius: { xs: 4, sm: 6 } },
        }}
      >
        {isPending
          ? Array.from({ length: COUNT }, (_, n) => <Skeleton key={n} variant="rounded" sx={{ height: "auto" }} />)
          : images.map((image) => (
              <Box
                key={image.uuid}
                component="img"
                src={thumbnailUrl(image)}
                alt={text.home.sampleAlt(image.how_made?.model_label ?? text.name)}
                width={256}
                height={256}
                sx={{ objectFit: "cover", bgcolor: "action.hover" }}
              />
            ))}
      </Box>
      <Typography variant="body2" color="textSecondary" sx={{ mt: 1.5 }}>
        {text.home.samplesCaption}
      </Typography>
    </Box>
  );
}
