import { describe, expect, it } from "vitest";
import { addressIn, typedAddress } from "./webAddress";

describe("a web address", () => {
  it.each([
    "https://example.org/face.jpg",
    "HTTP://example.org",
    "http://1.2.3.4:8080/a?b=c#d",
    "https://例子.中国/脸.jpg",
  ])("is %s", (address) => expect(addressIn(` ${address}\n`)).toBe(address));

  it.each([
    "",
    "face.jpg",
    "ftp://example.org/a.jpg",
    "javascript:alert(1)",
    "https://",
    "see https://example.org",
    "https://a b",
  ])("is not %j", (text) => expect(addressIn(text)).toBeNull());
});

describe("what somebody typed", () => {
  it.each([
    ["https://example.org/a.jpg", "https://example.org/a.jpg"],
    ["example.org/a.jpg", "https://example.org/a.jpg"],
    ["example.org:8443/a.jpg", "https://example.org:8443/a.jpg"],
    ["  www.example.org ", "https://www.example.org"],
    ["example.org/a?at=10:30", "https://example.org/a?at=10:30"],
  ])("%s means %s", (typed, address) => expect(typedAddress(typed)).toBe(address));

  it.each([
    "",
    "a face",
    "face",
    "ftp://example.org/a.jpg",
    "data:image/png;base64,AAAA",
    "/a/b.jpg",
    "mailto:a@example.org",
  ])("%j is no address", (typed) => expect(typedAddress(typed)).toBeNull());
});
