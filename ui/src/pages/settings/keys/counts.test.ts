import { expect, it } from "vitest";
import { counts, expiryAfter } from "./counts";

const now = Date.parse("2026-11-30T12:00:00Z");

it("counts until it expires or is revoked", () => {
  expect(counts({ revoked_at: null, expires_at: null }, now)).toBe(true);
  expect(counts({ revoked_at: null, expires_at: "2026-11-30T12:00:01Z" }, now)).toBe(true);
  expect(counts({ revoked_at: null, expires_at: "2026-11-30T11:59:59Z" }, now)).toBe(false);
  expect(counts({ revoked_at: "2026-11-30T11:00:00Z", expires_at: null }, now)).toBe(false);
});

it("expires after so many days, or never", () => {
  expect(expiryAfter(30, now)).toBe("2026-12-30T12:00:00.000Z");
  expect(expiryAfter(0, now)).toBeNull();
});
