/** What a file is, by the ending of its name. `keras` and `pickle` are refused, each with its own way out. */
export type FileKind = "onnx" | "weights" | "keras" | "pickle" | "other";

const ENDINGS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.onnx$/i, "onnx"],
  [/\.(h5|npz)$/i, "weights"],
  [/\.keras$/i, "keras"],
  [/\.(pt|pth|pkl|pickle|bin)$/i, "pickle"],
];

/** What the server takes; of the others it says why not. */
export const ACCEPTED = ".onnx,.h5,.npz";

export function fileKind(filename: string): FileKind {
  return ENDINGS.find(([ending]) => ending.test(filename))?.[1] ?? "other";
}

/** Without what says how it is stored: "net.weights.h5" is net. */
export function stem(filename: string): string {
  return filename.replace(/(\.onnx|(\.weights)?\.(h5|npz))$/i, "");
}
