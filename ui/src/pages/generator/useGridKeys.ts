import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import type { Rows } from "./useRows";

interface GridKeys {
  /** Index of the one tile that Tab reaches. */
  active: number;
  setActive: (index: number) => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/**
 * Arrow keys in a grid of which only the rows near the screen are in the document (roving tabindex, ARIA Authoring Practices).
 * Each tile holds one `[data-tile]`, whose value is its index; it gets the focus.
 *
 * @param offset cells of the grid before the first tile
 * @param onMove told where the focus went, and whether shift was held
 */
export function useGridKeys(
  list: RefObject<HTMLElement | null>,
  count: number,
  offset: number,
  rows: Rows,
  onMove: (index: number, extend: boolean) => void,
): GridKeys {
  const [wanted, setActive] = useState(0);
  // Who scrolled far away with the wheel goes on with the keyboard from what is on the screen.
  const inDocument = Math.min(Math.max(wanted, rows.from - offset), Math.max(0, rows.to - offset - 1));
  const active = Math.max(0, Math.min(inDocument, count - 1));
  const focusNext = useRef(false);
  useEffect(() => {
    if (!focusNext.current) return;
    const tile = list.current?.querySelector<HTMLElement>(`[data-tile="${wanted}"]`);
    // A row far away is in the document after the next rendering.
    if (!tile) return;
    focusNext.current = false;
    tile.focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" });
  });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = stepOf(event.key, rows.columns, active, count);
    if (step === null) return;
    event.preventDefault();
    const next = active + step;
    if (next < 0 || next >= count) return;
    focusNext.current = true;
    setActive(next);
    rows.show(next + offset);
    onMove(next, event.shiftKey);
  };
  return { active, setActive, onKeyDown };
}

/** How far a key moves; null for keys that do not move. */
export function stepOf(key: string, columns: number, at: number, count: number): number | null {
  switch (key) {
    case "ArrowRight":
      return 1;
    case "ArrowLeft":
      return -1;
    case "ArrowDown":
      return columns;
    case "ArrowUp":
      return -columns;
    case "Home":
      return -at;
    case "End":
      return count - 1 - at;
    default:
      return null;
  }
}
