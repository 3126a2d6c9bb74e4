import { useQuery } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";

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
