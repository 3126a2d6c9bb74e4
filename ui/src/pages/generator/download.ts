import type { Image } from "../../api/types";

/** A name that says what the picture is: model, version and seed. */
export function fileName(image: Image): string {
  const extension = image.url.split(".").pop() ?? "png";
  const made = image.how_made;
  const stem = made ? `${made.model_name}-v${made.model_version}-seed${made.seed}` : image.uuid;
  return `${stem}.${extension}`;
}

/** Lets the browser save what is at an address. */
export function save(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}

export function saveBlob(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  save(href, name);
  // The browser has begun to read by then; without this the archive stays in memory until the page goes.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
