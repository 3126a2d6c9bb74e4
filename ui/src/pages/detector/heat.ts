/** Pixels of a heat map: RGBA, row by row from the top left. */
export interface HeatPixels {
  data: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

/** Stops of the ramp: value, red, green, blue. Dark to bright, so it can be read without colour vision too. */
const RAMP: readonly (readonly [number, number, number, number])[] = [
  [0, 14, 40, 60],
  [0.35, 20, 110, 120],
  [0.6, 240, 150, 40],
  [0.8, 240, 80, 30],
  [1, 255, 236, 190],
];

/** Values below this say next to nothing and stay clear. */
const CLEAR_BELOW = 0.18;

/**
 * A small matrix as a smooth picture.
 *
 * @param values rows of 0 to 1; the centre of each cell keeps about its value
 * @param size width and height of the picture, pixels
 */
export function heatPixels(values: number[][], size: number): HeatPixels {
  const rows = values.length;
  const columns = values[0]?.length ?? 0;
  const data = new Uint8ClampedArray(size * size * 4);
  if (rows === 0 || columns === 0) return { data, width: size, height: size };
  const across = splineWeights(size, columns);
  const down = splineWeights(size, rows);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      let value = 0;
      for (const [row, rowWeight] of down[y] ?? []) {
        for (const [column, columnWeight] of across[x] ?? []) {
          value += rowWeight * columnWeight * (values[row]?.[column] ?? 0);
        }
      }
      data.set(colourOf(Math.min(1, Math.max(0, value))), (y * size + x) * 4);
    }
  }
  return { data, width: size, height: size };
}

/** Red, green, blue and opacity (0 to 255) of a value (0 to 1). */
export function colourOf(value: number): [number, number, number, number] {
  const upper = RAMP.findIndex(([stop]) => value <= stop);
  const to = RAMP[upper] ?? [1, 255, 236, 190];
  const from = RAMP[Math.max(0, upper - 1)] ?? to;
  const share = to[0] === from[0] ? 0 : (value - from[0]) / (to[0] - from[0]);
  const mix = (channel: 1 | 2 | 3) => from[channel] + (to[channel] - from[channel]) * share;
  const opacity = Math.min(1, Math.max(0, (value - CLEAR_BELOW) / 0.4));
  return [mix(1), mix(2), mix(3), opacity * 215];
}

/** For each pixel the cells that make it and their weights: a uniform cubic B-spline, which has no visible grid. */
function splineWeights(size: number, cells: number): (readonly [cell: number, weight: number])[][] {
  return Array.from({ length: size }, (_, pixel) => {
    const at = ((pixel + 0.5) / size) * cells - 0.5;
    const cell = Math.floor(at);
    const t = at - cell;
    const weights = [
      (1 - t) ** 3 / 6,
      (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
      (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
      t ** 3 / 6,
    ];
    return weights.map((weight, n) => [Math.min(cells - 1, Math.max(0, cell - 1 + n)), weight] as const);
  });
}
