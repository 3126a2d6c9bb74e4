import { type ComponentType, lazy } from "react";

/** How long code waits for the browser to have nothing else to do, in ms. */
const LONGEST_WAIT = 3000;

/**
 * A part of a page that is not seen at first: its code comes once the browser is idle, or when it is asked for. It needs a
 * `Suspense` around it.
 */
// Any props: `unknown` would be those of no component.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function soon<C extends ComponentType<any>>(load: () => Promise<C>) {
  const module = () => load().then((component) => ({ default: component }));
  // Asked for twice it still comes once. What fails to come is asked for again where it is needed, and said there.
  const early = () => void load().catch(() => undefined);
  if ("requestIdleCallback" in window) requestIdleCallback(early, { timeout: LONGEST_WAIT });
  else setTimeout(early, LONGEST_WAIT); // Safari
  return lazy(module);
}
