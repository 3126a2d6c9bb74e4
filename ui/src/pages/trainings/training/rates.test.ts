import { expect, it } from "vitest";
import { rateOf } from "./rates";

it("counts real faces that are called generated, and the other way round", () => {
  // rows: human, human_gen, anime, anime_gen
  const confusion = [
    [8, 1, 0, 1],
    [2, 18, 0, 0],
    [0, 0, 10, 0],
    [0, 0, 5, 15],
  ];
  expect(rateOf(confusion, "accused")).toBeCloseTo(2 / 20);
  expect(rateOf(confusion, "missed")).toBeCloseTo(7 / 40);
});

it("is not there where there is nothing to count", () => {
  expect(rateOf([[5, 0, 0, 0]], "missed")).toBeNull();
});
