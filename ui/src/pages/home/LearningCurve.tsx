/** Bars, and a curve that rises over them: a network that gets better. */
export function LearningCurve() {
  return (
    <svg viewBox="0 0 90 90" width={150} height={150} aria-hidden>
      {BARS.map((height, n) => (
        <rect
          key={n}
          x={6 + n * 16}
          y={78 - height}
          width={12}
          height={height}
          rx={2.5}
          opacity={0.2 + n * 0.13}
          fill="var(--mui-palette-primary-main)"
        />
      ))}
      <path
        d="M8 62 C 20 58, 24 40, 38 34 S 62 16, 80 13"
        fill="none"
        stroke="var(--mui-palette-secondary-main)"
        strokeWidth={4}
        strokeLinecap="round"
      />
      <circle cx={80} cy={13} r={5.5} fill="var(--mui-palette-secondary-main)" />
    </svg>
  );
}

const BARS = [10, 20, 29, 40, 52];
