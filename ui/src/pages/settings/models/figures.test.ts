import { expect, it } from "vitest";
import type { DetectorMetrics, Model } from "../../../api/types";
import { detectorFigures, weakestClass } from "./figures";

const one = { kind: "detector", classes: {} } as unknown as DetectorMetrics;

it("puts the split first that says most, and unknown ones last", () => {
  const metrics = { mine: one, unseen: one, validation: one, test: one } as unknown as Model["metrics"];
  expect(detectorFigures({ metrics }).map(([split]) => split)).toEqual(["test", "unseen", "validation", "mine"]);
});

it("finds the weakest of the classes that the split has", () => {
  const figures = (f1: number, support: number) => ({ f1, support, precision: 0, recall: 0 });
  const classes = { human: figures(0.9, 10), human_gen: figures(0.8, 10), anime: figures(0, 0) };
  expect(weakestClass({ ...one, classes })).toEqual({ faceClass: "human_gen", f1: 0.8 });
  expect(weakestClass(one)).toBeUndefined();
});
