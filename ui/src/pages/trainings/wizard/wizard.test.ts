import { expect, it } from "vitest";
import type { Dataset, Model, Training } from "../../../api/types";
import { en as others } from "../../../text/en";
import { trainings } from "../../../text/enTrainings";
import { estimateOf } from "./estimate";
import { chosenClasses, formOf, freshForm, nameFor, ofArchitecture, ofKind, requestOf, stepOfField } from "./form";
import { faultsOf } from "./validate";

const en = { ...others, trainings };
const options = {
  detectors: [
    { name: "MobileNetV2", least_side: 32 },
    { name: "Xception", least_side: 71 },
  ],
  generators: [{ name: "StyleGAN2", least_side: 32 }],
  at_once: 1,
  reason: null,
};
const enough = { human: 50, anime: 50 };
const faults = (change: Partial<ReturnType<typeof freshForm>>, classes: Record<string, number> = enough) =>
  faultsOf({ ...freshForm(), ...change }, classes, options, en);

it("finds nothing wrong with its own defaults", () => {
  expect(faults({})).toEqual({});
});

it("takes what the API takes, and says what it does not", () => {
  expect(faults({ batch: "1" }).batch_size).toBe("From 2 to 4,096.");
  expect(faults({ epochs: "2.5" }).max_epochs).toBe("A whole number.");
  expect(faults({ test: "50" })).toEqual({});
  expect(faults({ test: "51" }).test_fraction).toBe("From 0 to 50.");
  expect(faults({ learningRate: "0" }).learning_rate).toBe("More than 0, at most 10.");
  expect(faults({ name: "My Model" }).name).toContain("Small letters");
  expect(faults({ architecture: "Xception", resolution: "64" }).resolution).toContain("71");
});

it("knows what can be learnt from", () => {
  expect(faults({}, {}).datasets).toBe("Choose at least one data set.");
  expect(faults({}, { human: 100 }).datasets).toContain("two classes");
  expect(faults({}, { human: 100, anime: 4 }).datasets).toContain("Drawn cartoon");
  const drawing = ofKind(freshForm(), "generator");
  expect(faultsOf(drawing, { anime: 100 }, options, en).datasets).toContain("Real person");
  expect(faultsOf({ ...drawing, faceClass: "anime" }, { anime: 100 }, options, en)).toEqual({});
});

it("asks the API for what was chosen, and for nothing that does not fit it", () => {
  const request = requestOf({ ...ofKind(freshForm(), "ensemble"), bases: ["a", "b"], datasets: ["d"] }, "together");
  expect(request).toMatchObject({ type: "detector", ensemble: "stacking", base_models: ["a", "b"], weights: "none" });
  expect(request).not.toHaveProperty("architecture");
  expect(request).not.toHaveProperty("resolution");
  expect(requestOf({ ...freshForm(), test: "15" }, "one")).toMatchObject({
    architecture: "EfficientNetLite0",
    weights: "imagenet",
    test_fraction: 0.15,
  });
});

it("starts from trained weights only where nothing has to be downloaded for it", () => {
  expect(ofArchitecture(freshForm(), "Tiny").weights).toBe("none");
  expect(ofArchitecture(freshForm(), "ResNet50V2").weights).toBe("none");
  expect(ofArchitecture(freshForm(), "EfficientNetLite0").weights).toBe("imagenet");
});

it("repeats an earlier training", () => {
  const request = requestOf(
    { ...ofKind(freshForm(), "generator"), datasets: ["d"], epochs: "7", faceClass: "anime" },
    "again",
  );
  const training = {
    type: "generator",
    ensemble: false,
    architecture: request.architecture,
    base_models: [],
    settings: { ...request, learning_rate: null },
    datasets: [{ uuid: "d" }],
  } as unknown as Training;
  expect(requestOf(formOf(training), "again")).toEqual(request);
});

it("finds a name that is free", () => {
  const models = [{ name: "efficientnetlite0" }, { name: "efficientnetlite0-2" }] as Model[];
  expect(nameFor(freshForm(), models)).toBe("efficientnetlite0-3");
});

it("adds up what was chosen", () => {
  const datasets = [
    { uuid: "a", origin: "uploaded", classes: { human: 3, anime: 1 } },
    { uuid: "b", origin: "uploaded", classes: { human: 5 } },
    { uuid: "c", origin: "labelled", classes: { human: 10 } },
  ] as unknown as Dataset[];
  expect(chosenClasses({ ...freshForm(), datasets: ["a"], includeUploaded: true }, datasets)).toEqual({
    human: 13,
    anime: 1,
  });
});

it("knows where a field is asked for", () => {
  expect(stepOfField("base_models.0")).toBe("what");
  expect(stepOfField("datasets")).toBe("pictures");
  expect(stepOfField("batch_size")).toBe("settings");
  expect(stepOfField("instance")).toBeNull();
});

it("estimates from trainings of the same network at the same resolution, or not at all", () => {
  const earlier = (architecture: string, resolution: number | null, steps_per_second: number, step = 100) =>
    ({
      type: "detector",
      architecture,
      settings: { resolution, batch_size: 32 },
      progress: { steps_per_second, step },
    }) as unknown as Training;
  const form = { ...freshForm(), architecture: "MobileNetV2", epochs: "10" };
  expect(
    estimateOf(form, 100, [
      earlier("Xception", 224, 1),
      earlier("MobileNetV2", 96, 1),
      earlier("MobileNetV2", 224, 9, 5),
    ]),
  ).toBeNull();
  const estimate = estimateOf(form, 100, [earlier("MobileNetV2", 224, 2), earlier("MobileNetV2", null, 1)]);
  expect(estimate).toEqual({ seconds: (100 * 0.8 * 10) / 32, of: 2 });
});
