import { stem } from "./fileKind";

/** What the server takes for a model's name. */
export const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** A name that the server takes, from a file's: "My Detector (v2).onnx" gives my-detector-v2. */
export function nameFrom(filename: string): string {
  return stem(filename)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "")
    .slice(0, 63);
}

/** What people read, from a file's name: "my-detector_v2.onnx" gives My detector v2. */
export function labelFrom(filename: string): string {
  const words = stem(filename)
    .replace(/[\s_-]+/g, " ")
    .trim();
  return (words.charAt(0).toUpperCase() + words.slice(1)).slice(0, 80);
}
