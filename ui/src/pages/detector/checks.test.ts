import { describe, expect, it } from "vitest";
import { type Check, checksReducer, noChecks } from "./checks";

const check = (id: string): Check => ({
  id,
  file: new File([], `${id}.png`),
  name: `${id}.png`,
  preview: `blob:${id}`,
  state: "waiting",
});
const three = checksReducer(noChecks, { type: "added", checks: [check("a"), check("b"), check("c")] });

describe("checks", () => {
  it("puts the first of the new pictures on the table, new ones in front", () => {
    expect(three.current).toBe("a");
    const more = checksReducer(three, { type: "added", checks: [check("d")] });
    expect(more.current).toBe("d");
    expect(more.list.map(({ id }) => id)).toEqual(["d", "a", "b", "c"]);
  });

  it("changes one and leaves the others", () => {
    const changed = checksReducer(three, { type: "changed", id: "b", change: { state: "asking" } });
    expect(changed.list.map(({ state }) => state)).toEqual(["waiting", "asking", "waiting"]);
  });

  it("shows a neighbour where the one on the table is removed", () => {
    const shown = checksReducer(three, { type: "shown", id: "c" });
    expect(checksReducer(shown, { type: "removed", id: "c" }).current).toBe("b");
    expect(checksReducer(shown, { type: "removed", id: "a" }).current).toBe("c");
    const one = checksReducer(noChecks, { type: "added", checks: [check("a")] });
    expect(checksReducer(one, { type: "removed", id: "a" })).toEqual(noChecks);
  });
});
