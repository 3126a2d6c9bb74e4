import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";

/** The pictures that this visitor, or this person, uploaded; newest first, a page at a time. */
export function useOwnPictures() {
  return useInfiniteQuery({
    queryKey: keys.ownPictures,
    queryFn: ({ pageParam, signal }) =>
      answer(
        client.GET("/backend/image", {
          params: { query: { type: "uploaded", mine: "true", limit: 60, cursor: pageParam } },
          signal,
        }),
      ),
    staleTime: 0,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export function useDeletePicture() {
  const refresh = useRefreshPictures();
  return useMutation({
    mutationFn: (uuid: string) => answer(client.DELETE("/backend/image/{uuid}", { params: { path: { uuid } } })),
    onSettled: refresh,
  });
}

/** All of them, with the labels that were given to them. */
export function useDeleteAllPictures() {
  const refresh = useRefreshPictures();
  return useMutation({
    mutationFn: () => answer(client.DELETE("/backend/image", { params: { query: { mine: "true" } } })),
    onSettled: refresh,
  });
}

function useRefreshPictures() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: keys.ownPictures });
}
