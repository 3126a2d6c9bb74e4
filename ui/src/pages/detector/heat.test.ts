import { describe, expect, it } from "vitest";
import { colourOf, heatPixels } from "./heat";

const opacityAt = (pixels: ReturnType<typeof heatPixels>, x: number, y: number) =>
  pixels.data[(y * pixels.width + x) * 4 + 3] ?? -1;

describe("heatPixels", () => {
  it("is hottest where the matrix is, counted from the top left", () => {
    const pixels = heatPixels(
      [
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 0],
      ],
      60,
    );
    expect(opacityAt(pixels, 59, 0)).toBeGreaterThan(100);
    expect(opacityAt(pixels, 0, 0)).toBe(0);
    expect(opacityAt(pixels, 59, 59)).toBe(0);
  });

  it("keeps an even matrix even", () => {
    const { data } = heatPixels([[0.5, 0.5]], 8);
    const [first] = [...data.slice(0, 4)];
    for (let n = 0; n < data.length; n += 4) expect(data[n]).toBe(first);
  });

  it("draws nothing of nothing", () => {
    expect(heatPixels([], 4).data.every((byte) => byte === 0)).toBe(true);
  });
});

describe("colourOf", () => {
  it("leaves low values clear and grows in opacity", () => {
    expect(colourOf(0)[3]).toBe(0);
    expect(colourOf(0.9)[3]).toBeGreaterThan(colourOf(0.4)[3]);
  });
});
