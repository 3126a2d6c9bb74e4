import { expect, it } from "vitest";
import { stepOf } from "./useGridKeys";

it("moves by one, by a row, or to an end", () => {
  const at = (key: string) => stepOf(key, 4, 5, 12);
  expect(at("ArrowRight")).toBe(1);
  expect(at("ArrowUp")).toBe(-4);
  expect(at("ArrowDown")).toBe(4);
  expect(at("Home")).toBe(-5);
  expect(at("End")).toBe(6);
  expect(at("x")).toBeNull();
});
