import { Box, Button } from "@mui/material";
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link, NavLink } from "react-router";
import { PageTitle } from "../../components/PageTitle";
import { useTrainingsText } from "../../text/trainings";
import { TrainersOnly } from "./TrainersOnly";

/** What the three parts of the page share: title, the way between them, and who may see them. */
export function Area({ children }: { children: ReactNode }) {
  const text = useTrainingsText();
  const words = text.trainings;
  const parts = [
    { to: "/trainings", name: words.tabTrainings },
    { to: "/trainings/data", name: words.tabData },
    { to: "/trainings/compare", name: words.tabCompare },
  ];
  return (
    <TrainersOnly scope="trainings">
      <Box sx={{ display: "flex", flexWrap: "wrap", columnGap: 3, alignItems: "flex-end", mb: { xs: 3, md: 4 } }}>
        <Box sx={{ flex: "1 1 320px", "& > div": { mb: 2.5 } }}>
          <PageTitle title={words.title} lead={words.lead} />
        </Box>
        <Box sx={{ display: "flex", gap: 1, pb: 2.5, flexWrap: "wrap", width: { xs: "100%", md: "auto" } }}>
          <Button
            component={Link}
            to="/trainings/data/new"
            variant="outlined"
            size="large"
            sx={{ flex: { xs: 1, md: "none" } }}
          >
            {words.newData}
          </Button>
          <Button
            component={Link}
            to="/trainings/new"
            variant="contained"
            size="large"
            startIcon={<Plus size={20} aria-hidden />}
            sx={{ flex: { xs: 1, md: "none" }, whiteSpace: "nowrap" }}
          >
            {words.newTraining}
          </Button>
        </Box>
        <Box
          component="nav"
          aria-label={words.parts}
          sx={{ display: "flex", gap: { xs: 2.5, sm: 4 }, width: "100%", borderBottom: 1, borderColor: "divider" }}
        >
          {parts.map(({ to, name }) => (
            <Box
              key={to}
              component={NavLink}
              to={to}
              end
              sx={{
                py: 1.25,
                mb: "-1px",
                color: "text.secondary",
                fontWeight: 600,
                textDecoration: "none",
                borderBottom: "3px solid transparent",
                transition: "color .15s, border-color .15s",
                "&:hover": { color: "text.primary" },
                "&.active": { color: "text.primary", borderColor: "primary.main" },
              }}
            >
              {name}
            </Box>
          ))}
        </Box>
      </Box>
      {children}
    </TrainersOnly>
  );
}
