import { expect, it } from "vitest";
import { nameFrom, parcelsOf } from "./parcels";

const picked = (path: string, size = 3) => ({
  path,
  file: new File(["x".repeat(size)], path.split("/").at(-1) ?? "", { lastModified: 5 }),
});

it("sends archives as they are and packs pictures, whose folders may name the class", () => {
  const { parcels, ignored } = parcelsOf([
    picked("more.zip"),
    picked("faces/human/a.jpg"),
    picked("faces/anime/b.PNG"),
    picked("faces/.DS_Store"),
    picked("faces/read me.txt"),
  ]);
  expect(parcels.map(({ filename, pictures, sorted }) => ({ filename, pictures, sorted }))).toEqual([
    { filename: "more.zip", pictures: null, sorted: null },
    { filename: "faces.tar", pictures: 2, sorted: true },
  ]);
  expect(ignored).toEqual(["faces/read me.txt"]);
});

it("sends a single picture as it is", () => {
  const [only] = parcelsOf([picked("me.jpg")]).parcels;
  expect(only).toMatchObject({ filename: "me.jpg", pictures: 1, sorted: false });
});

it("knows the same folder again, in whatever order it comes, and no other one", () => {
  const of = (...files: ReturnType<typeof picked>[]) => parcelsOf(files).parcels[0]?.fingerprint;
  const one = of(picked("f/a.jpg"), picked("f/b.jpg"));
  expect(of(picked("f/b.jpg"), picked("f/a.jpg"))).toBe(one);
  expect(of(picked("f/a.jpg"), picked("f/b.jpg", 4))).not.toBe(one);
});

it("makes names that the API takes", () => {
  expect(nameFrom("Büro & Straße 2024.tar.gz")).toBe("Bu-ro-Stra-e-2024");
  expect(nameFrom("..zip")).toBe("");
});
