import { useWindowVirtualizer, type VirtualizerOptions, windowScroll } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useState } from "react";

/** Rows beside those on the screen: a quick flick shows pictures, not gaps. */
const OVERSCAN = 6;

export interface Rows {
  columns: number;
  /** Tiles `from` up to, not including, `to` are in the document. */
  from: number;
  to: number;
  /** Room that the rows before and after them would take, in pixels. */
  before: number;
  after: number;
  /** Brings a tile into the document and onto the screen. */
  show: (tile: number) => void;
}

/**
 * Which tiles of a grid as long as the page are near the screen, so that 5,000 cost no more than 50.
 *
 * @param list a CSS grid of square tiles; the style sheet alone says how many columns it has
 */
export function useRows(list: RefObject<HTMLElement | null>, tiles: number): Rows {
  const [{ columns, height, top }, setGrid] = useState({ columns: 4, height: 180, top: 0 });
  const rows = useWindowVirtualizer({
    count: Math.ceil(tiles / columns),
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: top,
    scrollToFn: scrollIfElsewhere,
  });
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => {
      const style = getComputedStyle(element);
      const tracks = style.gridTemplateColumns.split(" ").map(parseFloat);
      const side = tracks[0] ?? NaN;
      if (!(side > 0)) return;
      const next = {
        columns: tracks.length,
        height: side + parseFloat(style.rowGap),
        top: Math.round(element.getBoundingClientRect().top + window.scrollY),
      };
      setGrid((now) =>
        now.columns === next.columns && now.height === next.height && now.top === next.top ? now : next,
      );
    };
    // At once, and whenever the list, or what stands above it, grows: after the browser's own layout, not by one more.
    const watch = new ResizeObserver(measure);
    watch.observe(document.body);
    watch.observe(element);
    return () => watch.disconnect();
  }, [list, tiles]);
  useLayoutEffect(() => rows.measure(), [rows, height]);

  const shown = rows.getVirtualItems();
  const [first, last] = [shown[0], shown.at(-1)];
  return {
    columns,
    from: (first?.index ?? 0) * columns,
    to: last ? Math.min(tiles, (last.index + 1) * columns) : 0,
    before: first ? first.start - top : 0,
    after: last ? rows.getTotalSize() - (last.end - top) : 0,
    show: (tile) => rows.scrollToIndex(Math.floor(tile / columns), { align: "auto" }),
  };
}

/** To scroll to where one is, as the virtualizer does at first, costs a layout of the page. */
const scrollIfElsewhere: VirtualizerOptions<Window, Element>["scrollToFn"] = (offset, options, instance) => {
  if (offset + (options.adjustments ?? 0) !== instance.scrollOffset) windowScroll(offset, options, instance);
};
