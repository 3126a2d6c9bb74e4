import { Box, Button, Stack, Typography } from "@mui/material";
import { Plus, ScanFace } from "lucide-react";
import { Link } from "react-router";
import { Later } from "../../components/Later";
import { useText } from "../../text";
import { HowItWorks } from "./HowItWorks";
import { LiveSamples } from "./LiveSamples";
import { PageCards } from "./PageCards";

export function Component() {
  const text = useText();
  return (
    <Box>
      <title>{text.name}</title>
      <Box
        sx={{
          display: "grid",
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 11fr) minmax(0, 9fr)" },
          alignItems: "center",
          gap: { xs: 4, md: 8 },
          mb: { xs: 6, md: 10 },
          mt: { md: 2 },
        }}
      >
        <Box>
          <Typography variant="h1" sx={{ textWrap: "balance" }}>
            {text.home.title}
          </Typography>
          <Typography variant="subtitle1" component="p" color="textSecondary" sx={{ mt: 2.5, maxWidth: "48ch" }}>
            {text.home.lead}
          </Typography>
          <Stack direction={{ xs: "column", sm: "row" }} sx={{ gap: 1.5, mt: 4 }}>
            <Button component={Link} to="/generator" variant="contained" size="large" startIcon={<Plus size={20} />}>
              {text.home.toGenerator}
            </Button>
            <Button component={Link} to="/detector" variant="outlined" size="large" startIcon={<ScanFace size={20} />}>
              {text.home.toDetector}
            </Button>
          </Stack>
        </Box>
        <LiveSamples />
      </Box>
      <Later>
        <PageCards />
        <HowItWorks />
      </Later>
    </Box>
  );
}
