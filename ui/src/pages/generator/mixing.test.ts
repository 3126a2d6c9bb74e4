import { expect, it } from "vitest";
import type { Image } from "../../api/types";
import { madeAlike, mixes } from "./mixing";

const face = (model: string, version = 1) =>
  ({ uuid: `${model}-${version}`, how_made: { model_uuid: model, model_version: version } }) as Image;
const photo = { uuid: "photo", how_made: null } as Image;

it("mixes only what one version of a generator made", () => {
  expect(madeAlike(face("a"), face("a"))).toBe(true);
  expect(madeAlike(face("a"), face("b"))).toBe(false);
  expect(madeAlike(face("a"), face("a", 2))).toBe(false);
  expect(madeAlike(photo, photo)).toBe(false);
});

it("knows which generators mix, in the version that is in service", () => {
  const models = [
    { uuid: "a", version: 2, mixes_styles: true },
    { uuid: "b", version: 1, mixes_styles: false },
  ];
  expect(mixes(face("a", 2), models)).toBe(true);
  expect(mixes(face("a", 1), models)).toBe(false);
  expect(mixes(face("b"), models)).toBe(false);
  expect(mixes(photo, models)).toBe(false);
});
