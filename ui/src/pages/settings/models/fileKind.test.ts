import { expect, it } from "vitest";
import { fileKind, stem } from "./fileKind";

it.each([
  ["Net.ONNX", "onnx"],
  ["net.weights.h5", "weights"],
  ["weights.npz", "weights"],
  ["net.keras", "keras"],
  ["net.pth", "pickle"],
  ["face.png", "other"],
])("knows %s for %s", (name, kind) => expect(fileKind(name)).toBe(kind));

it.each([
  ["net.v2.onnx", "net.v2"],
  ["net.weights.h5", "net"],
  ["net.npz", "net"],
  ["onnx", "onnx"],
])("takes the ending off %s", (name, bare) => expect(stem(name)).toBe(bare));
