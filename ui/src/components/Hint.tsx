import type { ReactElement } from "react";
import "./hint.css";

/** Words beside a button of the top bar for those who point at it. MUI's Tooltip does more, and renders each of them twice. */
export function Hint({ words, children }: { words: string; children: ReactElement }) {
  return (
    <span className="hint" data-hint={words}>
      {children}
    </span>
  );
}
