import { type ReactNode, useDeferredValue } from "react";

/** Shows its children just after what is around them: the page's heading is there, and answers, while the rest is being made. */
export function Later({ children }: { children: ReactNode }) {
  return useDeferredValue(true, false) && children;
}
