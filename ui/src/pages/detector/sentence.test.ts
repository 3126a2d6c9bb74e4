import { expect, it } from "vitest";
import { loadText } from "../../text";
import { en } from "../../text/en";
import { sentenceOf } from "./sentence";

it("says what the server says, in the page's language", async () => {
  const verdict = { called: "human_gen", confidence: 0.87 } as const;
  expect(sentenceOf(verdict, en)).toBe("This looks like a generated photo of a person. I am fairly sure (87 %).");
  expect(sentenceOf(verdict, await loadText("zh"))).toBe("这看起来是生成的人像照片。我比较确定（87%）。");
});

it("is never more than 99 % sure", () => {
  expect(sentenceOf({ called: "anime", confidence: 0.9999 }, en)).toContain("I am very sure (99 %)");
  expect(sentenceOf({ called: "anime", confidence: 0.5 }, en)).toContain("I could easily be wrong (50 %)");
});
