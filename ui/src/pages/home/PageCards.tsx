import { Box, Card, CardActionArea, Typography } from "@mui/material";
import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useText } from "../../text";
import { Robot } from "../detector/Robot";
import { LearningCurve } from "./LearningCurve";
import { NoiseToFace } from "./NoiseToFace";

/** The way to the pages. */
export function PageCards() {
  const text = useText();
  return (
    <Box
      sx={{
        display: "grid",
        gap: 3,
        gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(3, minmax(0, 1fr))" },
      }}
    >
      <PageCard
        to="/generator"
        title={text.home.generatorTitle}
        description={text.home.generatorText}
        action={text.home.generatorLink}
        picture={<NoiseToFace />}
      />
      <PageCard
        to="/detector"
        title={text.home.detectorTitle}
        description={text.home.detectorText}
        action={text.home.detectorLink}
        picture={<Robot mood="idle" size={150} />}
      />
      <PageCard
        to="/trainings"
        title={text.home.trainingsTitle}
        description={text.home.trainingsText}
        action={text.home.trainingsLink}
        picture={<LearningCurve />}
      />
    </Box>
  );
}

interface PageCardProps {
  to: string;
  title: string;
  description: string;
  action: string;
  picture: ReactNode;
}

function PageCard({ to, title, description, action, picture }: PageCardProps) {
  return (
    <Card>
      <CardActionArea
        component={Link}
        to={to}
        sx={{
          height: "100%",
          display: "grid",
          gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "minmax(0, 1fr) 190px", md: "minmax(0, 1fr)" },
          gridTemplateRows: { xs: "auto 1fr", sm: "1fr", md: "auto 1fr" },
          alignItems: "stretch",
          "&:hover .arrow": { transform: "translateX(4px)" },
        }}
      >
        <Box sx={{ p: { xs: 3, sm: 4, md: 3, lg: 4 }, display: "flex", flexDirection: "column", gap: 1.25 }}>
          <Typography variant="h3" component="h2">
            {title}
          </Typography>
          <Typography color="textSecondary">{description}</Typography>
          <Box
            sx={{
              mt: "auto",
              pt: 1.5,
              display: "flex",
              alignItems: "center",
              gap: 1,
              color: "primary.main",
              fontWeight: 600,
              "& .arrow": { transition: "transform .2s" },
            }}
          >
            {action}
            <ArrowRight size={18} className="arrow" aria-hidden />
          </Box>
        </Box>
        <Box
          sx={{
            display: "grid",
            placeItems: "center",
            bgcolor: "primary.light",
            py: 2.5,
            gridRow: { xs: 1, sm: "auto", md: 1 },
            overflow: "hidden",
          }}
        >
          {picture}
        </Box>
      </CardActionArea>
    </Card>
  );
}
