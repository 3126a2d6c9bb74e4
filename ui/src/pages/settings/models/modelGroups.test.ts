import { expect, it } from "vitest";
import type { Model } from "../../../api/types";
import { ensemblesOn, groupModels } from "./modelGroups";

function model(uuid: string, version: number, status: Model["status"], base_models: string[] = []): Model {
  const state = status === "enabled" ? "ready" : "disabled";
  return { uuid, version, status, state, base_models, label: uuid, type: "detector" } as unknown as Model;
}

it("shows the newest version in service, not the newest of all", () => {
  const [group] = groupModels([model("a", 1, "enabled"), model("a", 3, "disabled"), model("a", 2, "enabled")]);
  expect(group?.shown.version).toBe(2);
  expect(group?.versions.map((each) => each.version)).toEqual([3, 2, 1]);
  expect(group?.enabled.map((each) => each.version)).toEqual([2, 1]);
});

it("shows the newest version where none serves", () => {
  const [group] = groupModels([model("a", 1, "disabled"), model("a", 2, "disabled")]);
  expect(group?.shown.version).toBe(2);
  expect(group?.enabled).toEqual([]);
});

it("knows what stands on a model, by whichever version", () => {
  const groups = groupModels([
    model("a", 1, "enabled"),
    model("vote", 1, "disabled", ["a"]),
    model("vote", 2, "enabled"),
  ]);
  const [base] = groups;
  expect(base && ensemblesOn(base, groups).map((group) => group.uuid)).toEqual(["vote"]);
});
