/** All entries of a list that comes in parts. */
export async function allParts<Part extends { next_cursor?: string | null }, Entry>(
  ask: (cursor: string | undefined) => Promise<Part>,
  entries: (part: Part) => Entry[],
): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const part = await ask(cursor);
    all.push(...entries(part));
    cursor = part.next_cursor ?? undefined;
  }
  return all;
}
