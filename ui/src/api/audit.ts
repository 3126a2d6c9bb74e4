import { useInfiniteQuery } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";

/**
 * What admins did, newest first, a page at a time.
 *
 * @param action such as `POST /backend/settings`; empty: all
 */
export function useAudit(action: string) {
  return useInfiniteQuery({
    queryKey: keys.audit(action),
    queryFn: ({ pageParam, signal }) =>
      answer(
        client.GET("/backend/audit", {
          params: { query: { limit: 50, cursor: pageParam, ...(action && { action }) } },
          signal,
        }),
      ),
    // Every visit to the page shows what was done since.
    staleTime: 0,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}
