import { Box, Button, Card, Typography } from "@mui/material";
import { GraduationCap, ImageUp, Power } from "lucide-react";
import { Link } from "react-router";
import { useTrainingsText } from "../../../text/trainings";

const ICONS = [ImageUp, GraduationCap, Power];

/** Where there is nothing yet: what will happen here, and where to begin. */
export function FirstSteps() {
  const text = useTrainingsText();
  const words = text.trainings.start;
  return (
    <Card sx={{ p: { xs: 3, md: 5 } }}>
      <Typography variant="h2" sx={{ mb: { xs: 3, md: 4 }, textWrap: "balance" }}>
        {words.title}
      </Typography>
      <Box
        component="ol"
        sx={{
          listStyle: "none",
          p: 0,
          m: 0,
          display: "grid",
          gap: { xs: 3, md: 5 },
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(3, minmax(0, 1fr))" },
        }}
      >
        {words.steps.map(({ title, text: detail }, n) => {
          const Icon = ICONS[n] ?? ImageUp;
          return (
            <Box
              component="li"
              key={title}
              sx={{ display: "grid", gridTemplateColumns: { xs: "56px 1fr", md: "1fr" }, columnGap: 2 }}
            >
              <Box
                sx={{
                  display: "grid",
                  placeItems: "center",
                  width: 56,
                  height: 56,
                  borderRadius: 4,
                  bgcolor: n === 0 ? "primary.main" : "primary.light",
                  color: n === 0 ? "primary.contrastText" : "primary.main",
                  mb: { md: 2 },
                  gridRow: { xs: "span 2", md: "auto" },
                }}
              >
                <Icon size={26} aria-hidden />
              </Box>
              <Typography variant="h3">{`${n + 1}. ${title}`}</Typography>
              <Typography color="textSecondary" sx={{ mt: 0.5 }}>
                {detail}
              </Typography>
            </Box>
          );
        })}
      </Box>
      <Button
        component={Link}
        to="/trainings/data/new"
        variant="contained"
        size="large"
        startIcon={<ImageUp size={20} aria-hidden />}
        sx={{ mt: { xs: 3, md: 5 } }}
      >
        {words.button}
      </Button>
    </Card>
  );
}
