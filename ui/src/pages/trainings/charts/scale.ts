/** Round numbers that divide a range in about `count` parts; they lie in it. */
export function ticks(low: number, high: number, count: number): number[] {
  const range = high - low;
  if (!(range > 0) || !Number.isFinite(range)) return [low];
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}

/** What the values of some curves lie between, with a little air; losses, which shoot up at the start, without their worst. */
export function rangeOf(curves: readonly (readonly (readonly [number, number])[])[]): [number, number] {
  const values = curves.flatMap((points) => points.map(([, value]) => value)).sort((a, b) => a - b);
  const least = values[0] ?? 0;
  const most = values[Math.ceil((values.length - 1) * 0.985)] ?? 1;
  if (most === least) return [least - Math.abs(least || 1) / 2, least + Math.abs(least || 1) / 2];
  const air = (most - least) * 0.08;
  const low = least >= 0 ? Math.max(0, least - air) : least - air;
  return [low, most + air];
}

/** The place of the point that is nearest to a step. */
export function nearest(points: readonly (readonly [number, number])[], step: number): number {
  let best = 0;
  points.forEach(([at], n) => {
    if (Math.abs(at - step) < Math.abs((points[best]?.[0] ?? Infinity) - step)) best = n;
  });
  return best;
}
