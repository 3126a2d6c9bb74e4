import { Box, Typography } from "@mui/material";
import type { DetectorMetrics } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";
import { useWidth } from "./useWidth";

const HEIGHT = 230;
const LEFT = 44;
const BOTTOM = 40;
const TOP = 8;
/** Of so few images a share says little; their bar is only hinted at. */
const FEW = 5;

/** How often it is right, by how sure it is. */
export function Reliability({ bins }: { bins: DetectorMetrics["reliability"] }) {
  const text = useTrainingsText();
  const words = text.trainings.result;
  const [frame, full] = useWidth<HTMLDivElement>();
  const width = Math.min(full, 460);
  const x = (share: number) => LEFT + share * (width - LEFT - 8);
  const y = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const filled = (bins?.count ?? []).flatMap((images, n) =>
    images > 0 ? [{ n, images, sure: bins?.confidence[n] ?? 0, right: bins?.accuracy[n] ?? 0 }] : [],
  );
  const count = bins?.count.length ?? 1;
  const share = (value: number) => percent(value, text.language, 0);
  return (
    <Box component="figure" sx={{ m: 0, minWidth: 0 }}>
      <Box component="figcaption" sx={{ mb: 1.5 }}>
        <Typography variant="h4" component="h3">
          {words.reliability}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {bins ? words.reliabilityHint : words.reliabilityNone}
        </Typography>
      </Box>
      <Box ref={frame}>
        {bins && (
          <svg
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={`${words.reliability} ${filled.map(({ sure, right, images }) => words.reliabilityBin(share(sure), share(right), images)).join("; ")}`}
            style={{ display: "block" }}
          >
            {[0, 0.25, 0.5, 0.75, 1].map((at) => (
              <g key={at}>
                <Box
                  component="line"
                  x1={LEFT}
                  x2={width - 8}
                  y1={y(at)}
                  y2={y(at)}
                  sx={{ stroke: "var(--mui-palette-divider)" }}
                />
                <Box component="text" x={LEFT - 8} y={y(at) + 4} textAnchor="end" sx={label}>
                  {share(at)}
                </Box>
                {at > 0 && at < 1 ? (
                  <Box component="text" x={x(at)} y={HEIGHT - BOTTOM + 16} textAnchor="middle" sx={label}>
                    {share(at)}
                  </Box>
                ) : null}
              </g>
            ))}
            {filled.map(({ n, images, sure, right }) => (
              <Box
                key={n}
                component="rect"
                x={x(n / count) + 1}
                width={Math.max(2, (width - LEFT - 8) / count - 2)}
                y={y(right)}
                height={Math.max(1, y(0) - y(right))}
                rx={2}
                sx={{ fill: "var(--mui-palette-primary-main)", opacity: images < FEW ? 0.35 : 0.9 }}
              >
                <title>{words.reliabilityBin(share(sure), share(right), images)}</title>
              </Box>
            ))}
            <Box
              component="line"
              x1={x(0)}
              y1={y(0)}
              x2={x(1)}
              y2={y(1)}
              sx={{ stroke: "var(--mui-palette-secondary-main)", strokeWidth: 2, strokeDasharray: "5 4" }}
            />
            <Box component="text" x={x(0.5)} y={HEIGHT - 6} textAnchor="middle" sx={label}>
              {words.sure}
            </Box>
          </svg>
        )}
      </Box>
    </Box>
  );
}

const label = { fill: "var(--mui-palette-text-secondary)", fontSize: 12 } as const;
