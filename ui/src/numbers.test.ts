import { expect, it } from "vitest";
import { bytes, percent, points, score } from "./numbers";

it("writes figures as people read them", () => {
  expect(percent(0.9344, "en")).toBe("93.4%");
  expect(score(0.9344)).toBe(".934");
  expect(score(1)).toBe("1.00");
  expect(points(0.061, "en")).toBe("+6.1");
  expect(points(-0.02, "en")).toBe("-2.0");
  expect(points(0, "en")).toBe("0.0");
});

it("gives sizes the unit that leaves few digits", () => {
  expect(bytes(0, "en")).toBe("0 byte");
  expect(bytes(999, "en")).toBe("999 byte");
  expect(bytes(4_663_123, "en")).toBe("4.7 MB");
  expect(bytes(2_500_000_000, "en")).toBe("2.5 GB");
});
