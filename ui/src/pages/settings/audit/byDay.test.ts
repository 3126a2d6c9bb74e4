import { expect, it } from "vitest";
import type { AuditEntry } from "../../../api/types";
import { byDay, detailPairs } from "./byDay";

const at = (time: string) => ({ at: time }) as AuditEntry;

it("puts the entries of a day together, in their order", () => {
  const days = byDay([at("2026-11-30T12:00:00"), at("2026-11-30T08:00:00"), at("2026-11-29T12:00:00")], "en-GB");
  expect(days.map(({ entries }) => entries.length)).toEqual([2, 1]);
  // How the parts of a date are joined differs between versions of Unicode's data.
  expect(days[0]?.day).toMatch(/Monday.*30.*November.*2026/);
  expect(days[1]?.day).toMatch(/Sunday.*29.*November.*2026/);
});

it("writes what an entry was about", () => {
  expect(
    detailPairs({
      images_per_batch: 12,
      scopes: ["models", "uploads"],
      name: "x",
      key: "0192f3a4-5b6c-7d8e-9f00-112233445566",
    }),
  ).toEqual([
    ["images_per_batch", "12"],
    ["scopes", "models, uploads"],
    ["name", "x"],
    ["key", "0192f3a4…"],
  ]);
});
