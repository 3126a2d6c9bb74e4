import { expect, it } from "vitest";
import { moodOf } from "./mood";

it("shows certainty only where there is some", () => {
  expect(moodOf({ generated: true, confidence: 0.97 })).toBe("sure-generated");
  expect(moodOf({ generated: false, confidence: 0.8 })).toBe("sure-real");
  expect(moodOf({ generated: true, confidence: 0.6 })).toBe("unsure");
});
