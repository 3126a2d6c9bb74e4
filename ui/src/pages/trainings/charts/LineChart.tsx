import { Box, Typography } from "@mui/material";
import { type KeyboardEvent, type PointerEvent, useId, useState } from "react";
import { useTrainingsText } from "../../../text/trainings";
import { figure } from "../format";
import { nearest, rangeOf, ticks } from "./scale";
import { useWidth } from "./useWidth";

export interface Line {
  name: string;
  /** Pairs of step and value, by step. */
  points: readonly (readonly [number, number])[];
  colour: "primary.main" | "secondary.main" | "face.anime_gen";
  /** Dashed ones are told apart without colour. */
  dashed?: boolean;
}

interface LineChartProps {
  title: string;
  hint?: string;
  lines: readonly Line[];
  height?: number;
  /** Steps in all, so that what is still to come is seen. */
  steps?: number | undefined;
  /** Lowest and highest value; else as the lines need it. */
  range?: readonly [number, number] | undefined;
  format?: (value: number) => string;
}

const LEFT = 44;
const BOTTOM = 24;
const TOP = 8;
const RIGHT = 10;

/** Curves over the steps of a training. Pointer and arrow keys read them off. */
export function LineChart({ title, hint, lines, height = 190, steps, range, format }: LineChartProps) {
  const text = useTrainingsText();
  const words = text.trainings.training;
  const [frame, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const clip = useId();
  const shown = lines.filter(({ points }) => points.length > 0);
  const say = format ?? ((value: number) => figure(value, text.language));
  const last = Math.max(1, steps ?? 0, ...shown.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const [low, high] = range ?? rangeOf(shown.map(({ points }) => points));
  const x = (step: number) => LEFT + (step / last) * (width - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - (value - low) / (high - low)) * (height - TOP - BOTTOM);
  const longest = shown.reduce<Line | undefined>(
    (a, b) => (a && a.points.length >= b.points.length ? a : b),
    undefined,
  );
  const read = at === null ? null : Math.min(at, (longest?.points.length ?? 1) - 1);
  const readStep = read === null ? undefined : longest?.points[read]?.[0];
  const values = shown.map((line) => {
    const place = readStep === undefined ? line.points.length - 1 : nearest(line.points, readStep);
    return { line, point: line.points[place] };
  });
  const said = values.map(({ line, point }) => words.lastOf(line.name, point ? say(point[1]) : "")).join(", ");

  const onPointer = (event: PointerEvent<SVGSVGElement>) => {
    if (!longest) return;
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left;
    setAt(nearest(longest.points, ((left - LEFT) / (width - LEFT - RIGHT)) * last));
  };
  const onKey = (event: KeyboardEvent) => {
    const count = longest?.points.length ?? 0;
    const now = at ?? count - 1;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: count - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.min(count - 1, Math.max(0, next)));
  };

  return (
    <Box component="figure" sx={{ m: 0, minWidth: 0 }}>
      <Box component="figcaption" sx={{ mb: 1 }}>
        <Typography variant="h4" component="h3">
          {title}
        </Typography>
        {hint && (
          <Typography variant="body2" color="textSecondary">
            {hint}
          </Typography>
        )}
      </Box>
      <Box ref={frame}>
        {/* A chart that is read off by arrow keys, as sliders are. */}
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          tabIndex={0}
          role="img"
          aria-label={words.chart(title, `${readStep === undefined ? "" : `${words.at(readStep)}: `}${said}`)}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
          onPointerLeave={() => setAt(null)}
          onKeyDown={onKey}
          onBlur={() => setAt(null)}
          style={{ display: "block", touchAction: "pan-y", borderRadius: 8 }}
        >
          <defs>
            <clipPath id={clip}>
              <rect x={LEFT} y={TOP - 4} width={width - LEFT - RIGHT + 6} height={height - TOP - BOTTOM + 4} />
            </clipPath>
          </defs>
          {ticks(low, high, 4).map((value) => (
            <g key={value}>
              <Box
                component="line"
                x1={LEFT}
                x2={width - RIGHT}
                y1={y(value)}
                y2={y(value)}
                sx={{ stroke: "var(--mui-palette-divider)" }}
              />
              <Box component="text" x={LEFT - 8} y={y(value) + 4} textAnchor="end" sx={label}>
                {say(value)}
              </Box>
            </g>
          ))}
          {ticks(0, last, width < 420 ? 3 : 5).map((step) => (
            <Box
              key={step}
              component="text"
              x={x(step)}
              y={height - 6}
              textAnchor={step === 0 ? "start" : "middle"}
              sx={label}
            >
              {step.toLocaleString(text.language)}
            </Box>
          ))}
          <g clipPath={`url(#${clip})`}>
            {shown.map((line) => (
              <Box
                key={line.name}
                component="path"
                d={line.points
                  .map(([step, value], n) => `${n === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)
                  .join("")}
                sx={{
                  fill: "none",
                  stroke: colourOf(line),
                  strokeWidth: 2.25,
                  strokeLinejoin: "round",
                  strokeLinecap: "round",
                  strokeDasharray: line.dashed ? "1 5" : "none",
                }}
              />
            ))}
          </g>
          {readStep !== undefined && (
            <Box
              component="line"
              x1={x(readStep)}
              x2={x(readStep)}
              y1={TOP}
              y2={height - BOTTOM}
              sx={{ stroke: "var(--mui-palette-text-secondary)", strokeDasharray: "2 3" }}
            />
          )}
          {values.map(
            ({ line, point }) =>
              point && (
                <Box
                  key={line.name}
                  component="circle"
                  cx={x(point[0])}
                  cy={Math.max(TOP, y(point[1]))}
                  r={4.5}
                  sx={{
                    fill: colourOf(line),
                    stroke: "var(--mui-palette-background-paper)",
                    strokeWidth: 2,
                  }}
                />
              ),
          )}
        </svg>
      </Box>
      <Box
        aria-hidden
        sx={{
          display: "flex",
          flexWrap: "wrap",
          columnGap: 2.5,
          rowGap: 0.5,
          mt: 1,
          typography: "body2",
          minHeight: 21,
        }}
      >
        {values.map(({ line, point }) => (
          <Box
            key={line.name}
            component="span"
            sx={{ display: "inline-flex", alignItems: "center", gap: 0.75, color: "text.secondary" }}
          >
            <Box
              component="span"
              sx={{
                width: 18,
                height: 0,
                borderTop: line.dashed ? "3px dotted" : "3px solid",
                borderColor: line.colour,
                borderRadius: 9,
              }}
            />
            {line.name}
            <Box component="span" sx={{ color: "text.primary", fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
              {point ? say(point[1]) : ""}
            </Box>
          </Box>
        ))}
        {readStep !== undefined && (
          <Box component="span" sx={{ color: "text.secondary", ml: "auto", fontVariantNumeric: "tabular-nums" }}>
            {words.at(readStep)}
          </Box>
        )}
      </Box>
    </Box>
  );
}

const label = { fill: "var(--mui-palette-text-secondary)", fontSize: 12, fontVariantNumeric: "tabular-nums" } as const;

function colourOf({ colour }: Line): string {
  return `var(--mui-palette-${colour.replace(".", "-")})`;
}
