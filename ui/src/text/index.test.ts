import { beforeEach, describe, expect, it } from "vitest";
import { writePreference } from "../preferences";
import { en } from "./en";
import { trainings } from "./enTrainings";
import { loadText, preferredLanguage } from "./index";
import { merged } from "./merge";
import { loadTrainingsText } from "./trainings";
import { zh } from "./zh";
import { trainings as zhTrainings } from "./zhTrainings";

beforeEach(() => localStorage.clear());

describe("the language", () => {
  it("is the first of the person's that VisionLab speaks", () => {
    expect(preferredLanguage(["fr-FR", "zh-Hans-CN", "en"])).toBe("zh");
    expect(preferredLanguage(["fr"])).toBe("en");
  });

  it("is what was chosen here", () => {
    writePreference("language", "en");
    expect(preferredLanguage(["zh-CN"])).toBe("en");
  });

  it("is said in English where a translation is missing", async () => {
    const text = merged({ a: "A", b: { c: "C", d: ["D"] } }, { b: { c: "丙" } });
    expect(text).toEqual({ a: "A", b: { c: "丙", d: ["D"] } });
    expect((await loadText("zh")).name).toBe(en.name);
    expect((await loadText("zh")).shell.home).toBe("首页");
  });
});

describe("Chinese", () => {
  const missing = (base: object, over: object, path: string): string[] =>
    Object.entries(base).flatMap(([name, value]) => {
      const other = (over as Record<string, unknown>)[name];
      if (other === undefined) return [`${path}.${name}`];
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? missing(value as object, other as object, `${path}.${name}`)
        : [];
    });

  it("is whole", () => {
    expect(missing(en, zh, "")).toEqual([
      // Names that are the same everywhere.
      ".name",
      ".generator.zipName",
    ]);
    // What is not a word: how parts are joined.
    expect(missing(trainings, zhTrainings, "")).toEqual([".upload.sending"]);
  });

  it("says nothing that English does not", () => {
    expect(missing(zh, en, "")).toEqual([]);
    expect(missing(zhTrainings, trainings, "")).toEqual([]);
  });

  it("has as many items in a list", () => {
    const lengths = (part: object): unknown[] =>
      Object.values(part).flatMap((value: unknown) =>
        Array.isArray(value) ? [value.length] : typeof value === "object" && value !== null ? lengths(value) : [],
      );
    expect(lengths(merged(en, zh))).toEqual(lengths(en));
    expect(lengths(merged(trainings, zhTrainings))).toEqual(lengths(trainings));
  });

  it("is loaded for the pages of trainings too", async () => {
    expect((await loadTrainingsText("zh")).tabData).toBe("数据集");
    expect((await loadTrainingsText("en")).tabData).toBe("Data sets");
    expect((await loadTrainingsText("fr")).tabData).toBe("Data sets");
  });
});
