import type { Classification, FaceClass } from "../../api/types";

/** One picture that the robot was shown in this visit. */
export interface Check {
  id: string;
  /** What is sent; none where the server has the picture already. */
  file: File | null;
  /** uuid of the picture on the server, where it was there before it was asked about */
  stored?: string;
  name: string;
  /** where the picture can be seen: an object URL of the file, or the server's */
  preview: string;
  state: "waiting" | "asking" | "answered" | "failed";
  answer?: Classification;
  error?: unknown;
  /** What the person said it is. */
  label?: FaceClass;
}

export interface Checks {
  /** newest first */
  list: readonly Check[];
  /** id of the one on the table */
  current: string | null;
}

export type ChecksAction =
  | { type: "added"; checks: Check[] }
  | { type: "shown"; id: string }
  | { type: "removed"; id: string }
  | { type: "changed"; id: string; change: Partial<Omit<Check, "id">> };

export const noChecks: Checks = { list: [], current: null };

export function checksReducer(checks: Checks, action: ChecksAction): Checks {
  switch (action.type) {
    case "added":
      // The first of the new ones is answered first, so it lies on the table.
      return { list: [...action.checks, ...checks.list], current: action.checks[0]?.id ?? checks.current };
    case "shown":
      return { ...checks, current: action.id };
    case "removed": {
      const at = checks.list.findIndex((check) => check.id === action.id);
      const list = checks.list.filter((check) => check.id !== action.id);
      const next = list[at] ?? list.at(-1);
      return { list, current: checks.current === action.id ? (next?.id ?? null) : checks.current };
    }
    case "changed":
      return {
        ...checks,
        list: checks.list.map((check) => (check.id === action.id ? { ...check, ...action.change } : check)),
      };
  }
}
