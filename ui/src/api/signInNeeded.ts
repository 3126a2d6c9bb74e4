/** The server wants to know who asks: whoever can ask the person for it hears of it here. */
const listeners = new Set<() => void>();

/** Calls `listener` whenever a call was refused because nobody is signed in. Gives the way to stop. */
export function onSignInNeeded(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tellSignInNeeded(): void {
  for (const listener of listeners) listener();
}
