/** Selection in an ordered list, as file managers do it. */
export interface Selection {
  chosen: ReadonlySet<string>;
  /** Where a range begins: the last one that was pressed by itself. */
  anchor: string | null;
}

export const nothing: Selection = { chosen: new Set(), anchor: null };

/** Takes one in or out. */
export function toggled(selection: Selection, uuid: string): Selection {
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(uuid)) chosen.add(uuid);
  return { chosen, anchor: uuid };
}

/** Adds all from the anchor to `uuid`, both included; without an anchor just that one. */
export function extendedTo(selection: Selection, uuid: string, order: readonly string[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(uuid);
  if (to < 0) return selection;
  if (from < 0) return { chosen: new Set(selection.chosen).add(uuid), anchor: uuid };
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { chosen: new Set([...selection.chosen, ...range]), anchor: selection.anchor };
}

export function allOf(order: readonly string[]): Selection {
  return { chosen: new Set(order), anchor: order[0] ?? null };
}
