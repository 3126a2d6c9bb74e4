import { describe, expect, it } from "vitest";
import { nextCursor } from "./models";

const withLink = (value?: string) => new Response(null, value === undefined ? {} : { headers: { Link: value } });

describe("the next part of a list", () => {
  it("is where the server says", () => {
    expect(nextCursor(withLink('<?status=enabled&cursor=WzUsIDVd>; rel="next"'))).toBe("WzUsIDVd");
    expect(nextCursor(withLink('<?cursor=WzUsIDVd%3D%3D>; rel="next"'))).toBe("WzUsIDVd==");
  });

  it("is not there at the end", () => {
    expect(nextCursor(withLink())).toBeUndefined();
    expect(nextCursor(withLink('</other>; rel="prev"'))).toBeUndefined();
  });
});
