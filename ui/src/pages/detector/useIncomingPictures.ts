import { useEffect, useEffectEvent, useState } from "react";
import { useText } from "../../text";
import { addressIn } from "./webAddress";

export interface IncomingPictures {
  /** Whether something is being dragged over the page. */
  dragging: boolean;
  take: (files: Iterable<File>) => void;
}

/**
 * Pictures that come by drop anywhere on the page, by paste or by choice.
 *
 * @param onAddress takes the web address that was pasted in place of a picture
 */
export function useIncomingPictures(
  onPictures: (files: File[]) => void,
  onAddress: (address: string) => void,
): IncomingPictures {
  const text = useText();
  const [dragging, setDragging] = useState(false);
  const take = (files: Iterable<File>) => {
    const pictures = [...files];
    if (pictures.length > 0) onPictures(pictures);
  };
  const onPaste = useEffectEvent((event: ClipboardEvent) => {
    const pasted = event.clipboardData?.files ?? [];
    const address = pasted.length === 0 && !isField(event.target) && addressIn(event.clipboardData?.getData("text"));
    if (address) onAddress(address);
    // Browsers call every pasted picture "image.png".
    take([...pasted].map((file) => (/^image\.\w+$/.test(file.name) ? named(file, text.detector.pasted) : file)));
  });
  const onDropAnywhere = useEffectEvent((event: globalThis.DragEvent) => {
    // A picture that misses the zone would otherwise replace the page.
    event.preventDefault();
    setDragging(false);
    take(event.dataTransfer?.files ?? []);
  });

  useEffect(() => {
    // dragenter and dragleave come for every element on the way; the page is left when they are even.
    let depth = 0;
    const enter = (event: globalThis.DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      depth += 1;
      setDragging(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setDragging(false);
    };
    const over = (event: globalThis.DragEvent) => event.preventDefault();
    const drop = (event: globalThis.DragEvent) => {
      depth = 0;
      onDropAnywhere(event);
    };
    const paste = (event: ClipboardEvent) => onPaste(event);
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    window.addEventListener("paste", paste);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
      window.removeEventListener("paste", paste);
    };
  }, []);

  return { dragging, take };
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, [contenteditable]");
}

function named(file: File, name: string): File {
  const extension = file.type.split("/")[1] ?? "png";
  return new File([file], `${name}.${extension}`, { type: file.type });
}
