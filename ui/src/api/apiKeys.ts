import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type { NewKey } from "./types";

/** API keys, newest first, also those that count no more. */
export function useApiKeys() {
  return useQuery({
    queryKey: keys.apiKeys,
    queryFn: ({ signal }) => answer(client.GET("/backend/key", { signal })),
  });
}

/** The answer has the secret, this once. */
export function useMakeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: NewKey) => answer(client.POST("/backend/key", { body: key })),
    // A secret has no place in what is kept of answers.
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.apiKeys }),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (uuid: string) => answer(client.DELETE("/backend/key/{uuid}", { params: { path: { uuid } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.apiKeys }),
  });
}
