import { expect, it } from "vitest";
import { labelFrom, NAME, nameFrom } from "./nameFrom";

it("makes names that the server takes", () => {
  expect(nameFrom("My Detector (v2).onnx")).toBe("my-detector-v2");
  expect(nameFrom("_Éclair.ONNX")).toBe("e-clair");
  for (const file of ["My Detector (v2).onnx", `${"x".repeat(90)}.onnx`]) expect(nameFrom(file)).toMatch(NAME);
});

it("leaves the name empty where the file's has nothing to take", () => {
  expect(nameFrom("模型.onnx")).toBe("");
});

it("makes a label that people read", () => {
  expect(labelFrom("my-detector_v2.onnx")).toBe("My detector v2");
});
