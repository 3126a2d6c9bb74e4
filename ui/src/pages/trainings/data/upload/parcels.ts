import { FACE_CLASSES } from "../../../../api/types";
import type { Shipment } from "../../../../api/uploads";
import type { Picked } from "./picked";
import { tarOf } from "./tar";

/** What is sent as one upload: an archive or picture as it is, or many pictures, packed. */
export interface Parcel extends Shipment {
  /** What people read. */
  title: string;
  /** Pictures in it; null: nobody knows before it is read. */
  pictures: number | null;
  /** Whether folders name classes; null: nobody knows. */
  sorted: boolean | null;
}

const ARCHIVE = /\.(zip|tar|tar\.gz|tgz)$/i;
const PICTURE = /\.(jpe?g|png)$/i;
/** What operating systems strew about; nobody wants to hear of it. */
const LITTER = /(^|\/)(\.|Thumbs\.db$|desktop\.ini$|__MACOSX\/)/i;

/** Sorts what was chosen: archives go as they are, pictures together in one archive; the rest stays here. */
export function parcelsOf(picked: readonly Picked[]): { parcels: Parcel[]; ignored: string[] } {
  const wanted = picked.filter(({ path }) => !LITTER.test(path));
  const archives = wanted.filter(({ path }) => ARCHIVE.test(path));
  const pictures = wanted.filter(({ path }) => PICTURE.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const ignored = wanted.filter(({ path }) => !ARCHIVE.test(path) && !PICTURE.test(path)).map(({ path }) => path);
  const parcels = archives.map(({ file, path }) => asItIs(file, path, null));
  const [first] = pictures;
  if (pictures.length === 1 && first) parcels.push(asItIs(first.file, first.path, 1));
  else if (first) parcels.push(packed(pictures));
  return { parcels, ignored };
}

/** A short name for a data set of what was chosen, as the API takes it; empty where nothing of the name is left. */
export function nameFrom(title: string): string {
  return title
    .replace(ARCHIVE, "")
    .replace(PICTURE, "")
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|[-._]+$/g, "")
    .slice(0, 64);
}

function asItIs(file: File, path: string, pictures: number | null): Parcel {
  const filename = path.split("/").at(-1) ?? file.name;
  return {
    filename,
    title: filename,
    data: file,
    pictures,
    sorted: pictures === 1 ? namesClass(path) : null,
    fingerprint: `${path}-${file.size}-${file.lastModified}`,
  };
}

function packed(pictures: readonly Picked[]): Parcel {
  const tops = new Set(pictures.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [top] = tops;
  const title = tops.size === 1 && top ? top : "pictures";
  const sum = hash(pictures.map(({ path, file }) => `${path}:${file.size}:${file.lastModified}`).join("\n"));
  return {
    filename: `${nameFrom(title) || "pictures"}.tar`,
    title,
    data: tarOf(pictures),
    pictures: pictures.length,
    sorted: pictures.some(({ path }) => namesClass(path)),
    fingerprint: `${title}-${pictures.length}-${sum}`,
  };
}

function namesClass(path: string): boolean {
  return path
    .split("/")
    .slice(0, -1)
    .some((folder) => (FACE_CLASSES as readonly string[]).includes(folder.toLowerCase()));
}

/** FNV-1a, 32 bits; to tell choices of files apart, not to keep secrets. */
function hash(text: string): string {
  let sum = 0x811c9dc5;
  for (let n = 0; n < text.length; n += 1) sum = Math.imul(sum ^ text.charCodeAt(n), 0x01000193);
  return (sum >>> 0).toString(16);
}
