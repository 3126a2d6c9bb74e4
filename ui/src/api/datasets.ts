import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { allParts } from "./lists";
import { keys } from "./queries";
import type { Dataset } from "./types";

export type ModelType = "detector" | "generator";

/** Asked again so often while one is being read. */
const WHILE_READING = 1_000;
const FILES = 48;

/** All data sets for models of a type, newest first; those of labelled and generated images among them. */
export function useDatasets(type: ModelType, enabled = true) {
  return useQuery({
    queryKey: keys.datasetList(type),
    enabled,
    staleTime: 3_000,
    queryFn: ({ signal }) =>
      allParts(
        (cursor) =>
          answer(
            client.GET("/backend/dataset/{type}", {
              params: { path: { type }, query: { cursor, limit: 200 } },
              signal,
            }),
          ),
        (part) => part.datasets,
      ),
    refetchInterval: (query) => (query.state.data?.some(isBeingRead) ? WHILE_READING : false),
  });
}

export function useDataset(uuid: string) {
  return useQuery({
    queryKey: keys.dataset(uuid),
    queryFn: ({ signal }) =>
      answer(client.GET("/backend/dataset/{uuid}/report", { params: { path: { uuid } }, signal })),
    refetchInterval: (query) => (query.state.data && isBeingRead(query.state.data) ? WHILE_READING : false),
  });
}

/** Files of a data set: those that were kept, or those that were not. `version` changes as more of them are read. */
export function useDatasetFiles(uuid: string, which: "kept" | "refused", version: string, limit = FILES) {
  return useInfiniteQuery({
    queryKey: [...keys.datasetFiles(uuid, which), limit, version],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        cursor: pageParam,
        limit,
        ...(which === "refused" ? { refused: true } : { fate: ["kept" as const] }),
      };
      return answer(client.GET("/backend/dataset/{uuid}/files", { params: { path: { uuid }, query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export function useDatasetStatus() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid, status }: { uuid: string; status: Dataset["status"] }) =>
      answer(client.PATCH("/backend/dataset/{uuid}/status/{status}", { params: { path: { uuid, status } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.datasets }),
  });
}

export function useRemoveDataset() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (uuid: string) => answer(client.DELETE("/backend/dataset/{uuid}", { params: { path: { uuid } } })),
    onSuccess: (_nothing, uuid) => {
      queries.removeQueries({ queryKey: keys.dataset(uuid) });
      return queries.invalidateQueries({ queryKey: [...keys.datasets, "list"] });
    },
  });
}

export function isBeingRead(dataset: Dataset): boolean {
  return dataset.state === "pending" || dataset.state === "reading";
}

/** Whether a new training may learn from it. */
export function isUsable(dataset: Dataset): boolean {
  return dataset.status === "enabled" && dataset.state === "ready";
}
