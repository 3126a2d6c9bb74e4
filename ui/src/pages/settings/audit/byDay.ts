import type { AuditEntry } from "../../../api/types";

interface Day {
  /** as people of the language write it */
  day: string;
  entries: AuditEntry[];
}

/** Entries of the same day of the reader's together, in the order in which they came. */
export function byDay(entries: readonly AuditEntry[], language: string): Day[] {
  const days: Day[] = [];
  for (const entry of entries) {
    const day = new Date(entry.at).toLocaleDateString(language, { dateStyle: "full" });
    const last = days.at(-1);
    if (last?.day === day) last.entries.push(entry);
    else days.push({ day, entries: [entry] });
  }
  return days;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What an entry was about, as pairs to read: lists with commas, objects as JSON, of ids the beginning. */
export function detailPairs(detail: AuditEntry["detail"]): [string, string][] {
  return Object.entries(detail).map(([name, value]) => [
    name,
    Array.isArray(value) && value.every((each) => typeof each === "string")
      ? value.join(", ")
      : typeof value === "string"
        ? UUID.test(value)
          ? `${value.slice(0, 8)}…`
          : value
        : JSON.stringify(value),
  ]);
}
