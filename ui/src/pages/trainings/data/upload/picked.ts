/** A file that somebody chose or dropped, with where it lay. */
export interface Picked {
  path: string;
  file: File;
}

/** The files of a choice; of a chosen folder with their paths. */
export function pickedOf(files: Iterable<File>): Picked[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** All files of a drop, those in folders too. Has to be called while the drop is told of: its items are gone afterwards. */
export async function droppedOf(drop: DataTransfer): Promise<Picked[]> {
  const entries = [...drop.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return pickedOf(drop.files);
  return (await Promise.all(entries.map((entry) => filesBelow(entry)))).flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<Picked[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
  const all: Picked[] = [];
  // A reader gives a hundred or so at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    for (const each of some) all.push(...(await filesBelow(each)));
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
