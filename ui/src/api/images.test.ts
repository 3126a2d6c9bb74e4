import { expect, it } from "vitest";
import { withNewImages } from "./images";
import type { Image } from "./types";

const image = (uuid: string): Image => ({
  uuid,
  image_type: "generated",
  url: `/backend/image/${uuid}.png`,
  width: 128,
  height: 128,
  likes: 0,
  downloads: 0,
  shared: false,
  created_at: "2026-01-01T00:00:00Z",
});

it("puts new images in front, the last one made first, none twice", () => {
  const gallery = {
    pages: [{ images: [image("b"), image("a")], next_cursor: "2" }, { images: [image("z")] }],
    pageParams: [undefined, "2"],
  };
  const after = withNewImages(gallery, [image("b"), image("c"), image("d")]);
  expect(after?.pages.map((page) => page.images.map(({ uuid }) => uuid))).toEqual([["d", "c", "b", "a"], ["z"]]);
  expect(withNewImages(undefined, [image("a")])).toBeUndefined();
});
