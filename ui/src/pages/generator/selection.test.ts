import { describe, expect, it } from "vitest";
import { allOf, extendedTo, nothing, toggled } from "./selection";

const order = ["a", "b", "c", "d", "e"];

describe("selection", () => {
  it("takes one in and out again", () => {
    const one = toggled(nothing, "b");
    expect([...one.chosen]).toEqual(["b"]);
    expect(toggled(one, "b").chosen.size).toBe(0);
  });

  it("extends forwards and backwards from the last one pressed", () => {
    const from = toggled(nothing, "c");
    expect([...extendedTo(from, "e", order).chosen].sort()).toEqual(["c", "d", "e"]);
    expect([...extendedTo(from, "a", order).chosen].sort()).toEqual(["a", "b", "c"]);
  });

  it("keeps what was selected before a range", () => {
    const two = toggled(toggled(nothing, "a"), "d");
    expect([...extendedTo(two, "e", order).chosen].sort()).toEqual(["a", "d", "e"]);
  });

  it("starts with the one pressed where the anchor is gone", () => {
    expect([...extendedTo({ chosen: new Set(), anchor: "gone" }, "b", order).chosen]).toEqual(["b"]);
    expect(extendedTo(nothing, "gone", order)).toBe(nothing);
  });

  it("takes all", () => {
    expect([...allOf(order).chosen]).toEqual(order);
    expect(allOf([])).toEqual(nothing);
  });
});
