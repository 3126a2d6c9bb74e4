/**
 * A tar archive (ustar) of files, without reading them: the browser takes their bytes from the disk as they are sent. So a folder
 * of any size is packed at once, and the same folder always gives the same archive: an upload of it can go on after a reload.
 */
export interface TarEntry {
  path: string;
  file: Blob;
}

const BLOCK = 512;
const LONGEST_NAME = 100;

export function tarOf(entries: readonly TarEntry[]): Blob {
  const parts: BlobPart[] = [];
  entries.forEach(({ path, file }, n) => {
    const over = file.size % BLOCK;
    parts.push(header(fitted(path, n), file.size), file);
    if (over > 0) parts.push(new Uint8Array(BLOCK - over));
  });
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** A name that fits into the header. Names are only shown, but the folder that names the class has to stay. */
export function fitted(path: string, n: number): string {
  if (bytesOf(path).length <= LONGEST_NAME) return path;
  const folder = path.split("/").at(-2) ?? "";
  const ending = /\.\w{1,5}$/.exec(path)?.[0] ?? "";
  const kept = bytesOf(folder).length <= 40 ? `${folder}/` : "";
  return `${kept}file-${n}${ending}`;
}

function header(name: string, size: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number) => block.set(bytesOf(text), at);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(name, 0);
  put(octal(0o644, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(0, 11), 136);
  put("        ", 148); // the checksum counts as spaces while it is made
  put("0", 156);
  put("ustar\u000000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
