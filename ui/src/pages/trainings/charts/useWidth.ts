import { useLayoutEffect, useRef, useState } from "react";

/** The width of an element, in pixels, as it is now; charts are drawn for it, so that their words stay readable. */
export function useWidth<E extends HTMLElement>(first = 320): [React.RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    const shown = element.current;
    if (!shown || !("ResizeObserver" in window)) return;
    const observer = new ResizeObserver(
      ([entry]) => entry && setWidth(Math.max(120, Math.round(entry.contentRect.width))),
    );
    observer.observe(shown);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}
