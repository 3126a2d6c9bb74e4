import { Box, Typography } from "@mui/material";
import { useText } from "../../text";

/** Three sentences on what goes on behind the pages. */
export function HowItWorks() {
  const text = useText();
  return (
    <Box component="section" sx={{ mt: { xs: 6, md: 10 }, mb: 4 }}>
      <Typography variant="h2" sx={{ mb: { xs: 2, md: 4 } }}>
        {text.home.howTitle}
      </Typography>
      <Box
        component="ol"
        sx={{
          listStyle: "none",
          p: 0,
          m: 0,
          display: "grid",
          gap: { xs: 3, md: 5 },
          gridTemplateColumns: { xs: "1fr", md: "repeat(3, 1fr)" },
        }}
      >
        {text.home.how.map(({ title, text: words }, n) => (
          <Box component="li" key={title} sx={{ borderTop: 2, borderColor: "text.primary", pt: 2 }}>
            <Typography variant="overline" color="secondary">
              {n + 1}
            </Typography>
            <Typography variant="h3" sx={{ mb: 1 }}>
              {title}
            </Typography>
            <Typography color="textSecondary">{words}</Typography>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
