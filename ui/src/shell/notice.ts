import { createContext, use } from "react";

export type Notice = (message: string, severity?: "success" | "info" | "error") => void;

export const NoticeContext = createContext<Notice>(() => undefined);

/** Says something in passing, at the lower edge of the screen. */
export function useNotice(): Notice {
  return use(NoticeContext);
}
