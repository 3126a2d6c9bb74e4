import { useCallback, useState } from "react";

const PREFIX = "visionlab.";

/** A choice that this browser remembers. Without storage (private windows) it lasts as long as the page. */
export function usePreference<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => readPreference(name, otherwise));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      writePreference(name, next);
    },
    [name],
  );
  return [value, set];
}

export function readPreference<T>(name: string, otherwise: T): T {
  try {
    const stored = localStorage.getItem(PREFIX + name);
    return stored === null ? otherwise : (JSON.parse(stored) as T);
  } catch {
    return otherwise;
  }
}

export function writePreference(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Nothing is lost but the memory of a choice.
  }
}
