import { Box, Typography } from "@mui/material";

export interface Figure {
  name: string;
  value: string;
  hint: string;
}

/** Some figures side by side, each with what it means. */
export function Figures({ figures }: { figures: Figure[] }) {
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        display: "grid",
        columnGap: 3,
        rowGap: 2.5,
        gridTemplateColumns: "repeat(auto-fit, minmax(124px, 1fr))",
      }}
    >
      {figures.map(({ name, value, hint }) => (
        <Box key={name}>
          <Typography component="dt" variant="body2" sx={{ fontWeight: 600 }}>
            {name}
          </Typography>
          <Box component="dd" sx={{ m: 0 }}>
            <Box sx={{ typography: "h3", fontSize: "1.5rem", fontVariantNumeric: "tabular-nums" }}>{value}</Box>
            <Typography variant="body2" color="textSecondary">
              {hint}
            </Typography>
          </Box>
        </Box>
      ))}
    </Box>
  );
}
