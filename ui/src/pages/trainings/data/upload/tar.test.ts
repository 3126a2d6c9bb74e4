import { expect, it } from "vitest";
import { fitted, tarOf } from "./tar";

it("puts each file behind its header, in blocks of 512 bytes", async () => {
  const archive = tarOf([
    { path: "human/a.jpg", file: new Blob(["hello"]) },
    { path: "anime/b.png", file: new Blob(["x".repeat(512)]) },
  ]);
  const text = await textOf(archive);
  expect(archive.size).toBe(512 * (1 + 1 + 1 + 1 + 2));
  expect(text.slice(0, 12)).toBe("human/a.jpg\0");
  expect(text.slice(124, 136)).toBe("00000000005\0");
  expect(text.slice(257, 265)).toBe("ustar\u000000");
  expect(text.slice(512, 517)).toBe("hello");
  expect(text.slice(1024, 1036)).toBe("anime/b.png\0");
  expect(text.slice(1536, 1540)).toBe("xxxx");
});

it("has the checksum that readers look at: the sum of the header with spaces in its place", async () => {
  const archive = await textOf(tarOf([{ path: "a.jpg", file: new Blob([]) }]));
  const header = Array.from({ length: 512 }, (_, n) => archive.charCodeAt(n));
  const stated = String.fromCharCode(...header.slice(148, 154));
  const sum = header.reduce((all, byte, n) => all + (n >= 148 && n < 156 ? 32 : byte), 0);
  expect(parseInt(stated, 8)).toBe(sum);
});

it("shortens names that do not fit, but keeps the folder that names the class", () => {
  expect(fitted("faces/human/a.jpg", 7)).toBe("faces/human/a.jpg");
  expect(fitted(`${"deep/".repeat(30)}human_gen/${"é".repeat(60)}.jpg`, 7)).toBe("human_gen/file-7.jpg");
});

/** The bytes of a blob, each as a character. */
function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () =>
      resolve(Array.from(new Uint8Array(reader.result as ArrayBuffer), (byte) => String.fromCharCode(byte)).join(""));
    reader.readAsArrayBuffer(blob);
  });
}
