import { Box } from "@mui/material";

/** Bars, and a curve that rises over them: a network that gets better. */
export function LearningCurve() {
  return (
    <Box component="svg" viewBox="0 0 90 90" aria-hidden sx={{ width: 150, height: 150 }}>
      {BARS.map((height, n) => (
        <Box
          key={n}
          component="rect"
          x={6 + n * 16}
          y={78 - height}
          width={12}
          height={height}
          rx={2.5}
          opacity={0.2 + n * 0.13}
          sx={{ fill: (t) => t.vars?.palette.primary.main }}
        />
      ))}
      <Box
        component="path"
        d="M8 62 C 20 58, 24 40, 38 34 S 62 16, 80 13"
        fill="none"
        strokeWidth={4}
        strokeLinecap="round"
        sx={{ stroke: (t) => t.vars?.palette.secondary.main }}
      />
      <Box component="circle" cx={80} cy={13} r={5.5} sx={{ fill: (t) => t.vars?.palette.secondary.main }} />
    </Box>
  );
}

const BARS = [10, 20, 29, 40, 52];
