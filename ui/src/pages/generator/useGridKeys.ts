import { type KeyboardEvent, useState } from "react";

interface GridKeys {
  /** Index of the one tile that Tab reaches. */
  active: number;
  setActive: (index: number) => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/**
 * Arrow keys in a grid whose number of columns is up to the layout (roving tabindex, ARIA Authoring Practices).
 * Tiles are the list's direct children; each holds one `[data-tile]`, which gets the focus.
 *
 * @param onMove told where the focus went, and whether shift was held
 */
export function useGridKeys(count: number, onMove: (index: number, extend: boolean) => void): GridKeys {
  const [wanted, setActive] = useState(0);
  const active = Math.min(wanted, Math.max(0, count - 1));
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-tile]")];
    const step = stepOf(event.key, columnsOf(tiles), active, tiles.length);
    if (step === null) return;
    event.preventDefault();
    const next = active + step;
    if (next < 0 || next >= tiles.length) return;
    setActive(next);
    tiles[next]?.focus();
    tiles[next]?.scrollIntoView({ block: "nearest" });
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

function columnsOf(tiles: HTMLElement[]): number {
  const top = tiles[0]?.getBoundingClientRect().top;
  const wrapped = tiles.findIndex((tile) => Math.abs(tile.getBoundingClientRect().top - (top ?? 0)) > 4);
  return wrapped < 0 ? tiles.length : wrapped;
}
