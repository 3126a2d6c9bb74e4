const CELLS = 9;

/** A face of cells that dissolves into noise towards the right: what a generator does, read backwards. */
export function NoiseToFace() {
  return (
    <svg viewBox="0 0 90 90" width={150} height={150} aria-hidden>
      {Array.from({ length: CELLS * CELLS }, (_, n) => {
        const column = n % CELLS;
        const row = Math.floor(n / CELLS);
        const noise = pseudoRandom(n);
        const fade = Math.max(0, (column - 3.5) / 5);
        if (!insideFace(column, row) && noise > fade * 0.5) return null;
        const size = 8.4 * (1 - fade * noise * 0.75);
        const offset = (8.4 - size) / 2;
        return (
          <rect
            key={n}
            x={column * 10 + 0.8 + offset + fade * (noise - 0.5) * 6}
            y={row * 10 + 0.8 + offset + fade * (pseudoRandom(n + 99) - 0.5) * 6}
            width={size}
            height={size}
            rx={1.8}
            fill={`var(--mui-palette-${noise < fade * 0.9 ? "secondary" : "primary"}-main)`}
            opacity={isFeature(column, row) ? 0.22 : 0.95}
          />
        );
      })}
    </svg>
  );
}

function insideFace(column: number, row: number): boolean {
  return ((column - 4) / 3.9) ** 2 + ((row - 4) / 4.6) ** 2 <= 1;
}

function isFeature(column: number, row: number): boolean {
  const eyes = row === 3 && (column === 2 || column === 5);
  const mouth = (row === 6 && column >= 3 && column <= 4) || (row === 5 && (column === 2 || column === 5));
  return eyes || mouth;
}

/** The same picture on every visit. */
function pseudoRandom(n: number): number {
  const x = Math.sin(n * 127.1 + 11.7) * 43758.5453;
  return x - Math.floor(x);
}
