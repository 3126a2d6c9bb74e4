import { expect, it } from "vitest";
import { chosenModels } from "./useBatches";

const models = [{ uuid: "a" }, { uuid: "b" }];

it("starts with all models and then keeps to the choice", () => {
  expect(chosenModels(models, null)).toEqual(["a", "b"]);
  expect(chosenModels(models, ["b"])).toEqual(["b"]);
  expect(chosenModels(models, [])).toEqual([]);
});

it("forgets models that are gone", () => {
  expect(chosenModels(models, ["b", "gone"])).toEqual(["b"]);
  expect(chosenModels(models, ["gone"])).toEqual(["a", "b"]);
});
