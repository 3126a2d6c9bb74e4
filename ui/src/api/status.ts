import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type { Settings } from "./types";

/** Asked again now and then, and soon where the last try failed, so that the page notices a server that comes back. */
export function useStatus() {
  return useQuery({
    queryKey: keys.status,
    queryFn: ({ signal }) => answer(client.GET("/backend/status", { signal })),
    retry: false,
    refetchInterval: (query) => (query.state.status === "error" || query.state.data?.ready === false ? 4_000 : 60_000),
  });
}

export function useSettings() {
  return useQuery({
    queryKey: keys.settings,
    queryFn: ({ signal }) => answer(client.GET("/backend/settings", { signal })),
  });
}

/** The page shows what is wanted at once, and what was before where the server refuses. */
export function useChangeSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Settings>) => answer(client.POST("/backend/settings", { body: change })),
    onMutate: async (change) => {
      await queries.cancelQueries({ queryKey: keys.settings });
      const before = queries.getQueryData<Settings>(keys.settings);
      queries.setQueryData<Settings>(keys.settings, (settings) => settings && { ...settings, ...change });
      return before;
    },
    onError: (_error, _change, before) => queries.setQueryData(keys.settings, before),
    onSuccess: (settings) => queries.setQueryData(keys.settings, settings),
  });
}
