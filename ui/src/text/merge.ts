/** A part of a dictionary. Functions and lists are whole, or not there. */
export type Part<T> = {
  [K in keyof T]?: T[K] extends (...args: never[]) => unknown
    ? T[K]
    : T[K] extends readonly unknown[]
      ? T[K]
      : T[K] extends object
        ? Part<T[K]>
        : T[K];
};

/** `over`, and where it has nothing, `base`: what is not translated yet is said in English. */
export function merged<T extends object>(base: T, over: Part<T>): T {
  const both: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [name, value] of Object.entries(over)) {
    const below = both[name];
    both[name] = isPlain(below) && isPlain(value) ? merged(below, value) : value;
  }
  return both as T;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
