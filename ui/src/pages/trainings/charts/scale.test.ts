import { expect, it } from "vitest";
import { nearest, rangeOf, ticks } from "./scale";

it("divides a range at round numbers", () => {
  expect(ticks(0, 1, 4)).toEqual([0, 0.5, 1]);
  expect(ticks(0, 2400, 5)).toEqual([0, 500, 1000, 1500, 2000]);
  expect(ticks(0.13, 0.19, 3)).toEqual([0.14, 0.16, 0.18]);
  expect(ticks(5, 5, 4)).toEqual([5]);
});

it("leaves the few worst values of a loss out of the range, and no negative room below positive ones", () => {
  const curve = Array.from({ length: 200 }, (_, n) => [n, n === 0 ? 900 : 0.5 + n / 1000] as const);
  const [low, high] = rangeOf([curve]);
  expect(low).toBeGreaterThanOrEqual(0);
  expect(high).toBeLessThan(1);
});

it("shows the whole of a short curve", () => {
  const [low, high] = rangeOf([
    [
      [12, 0.46],
      [24, 0.5],
      [36, 0.875],
    ],
  ]);
  expect(low).toBeLessThan(0.46);
  expect(high).toBeGreaterThan(0.875);
});

it("has a range also for one point, and for none", () => {
  for (const curves of [[[[1, 2]]], [[[1, 0]]], []] as [number, number][][][]) {
    const [low, high] = rangeOf(curves);
    expect(high).toBeGreaterThan(low);
  }
});

it("finds the nearest point", () => {
  expect(
    nearest(
      [
        [0, 1],
        [10, 1],
        [20, 1],
      ],
      16,
    ),
  ).toBe(2);
});
