import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type { Model, ModelRequest, ModelType } from "./types";

const SOON = 1_500;
const NOW_AND_THEN = 20_000;

/** The enabled models of a type: all of them, however many parts the list has. */
export function useModels(type: ModelType) {
  return useQuery({
    queryKey: keys.models(type),
    queryFn: ({ signal }) => listModels(type, "enabled", signal),
  });
}

/**
 * Every model of a type and every version; asked again soon while one of them is on its way into service, or they are not
 * what is `awaited`.
 */
export function useAllModels(type: ModelType, awaited: (models: Model[]) => boolean = () => true) {
  return useQuery({
    queryKey: keys.allModels(type),
    queryFn: ({ signal }) => listModels(type, undefined, signal),
    refetchInterval: ({ state: { data } }) =>
      data && (data.some(({ state }) => state === "loading") || !awaited(data)) ? SOON : NOW_AND_THEN,
  });
}

interface StatusChange {
  model: Model;
  status: Model["status"];
  /** Its other versions are disabled in the same moment. */
  replace?: boolean;
}

/** Enables or disables one version. */
export function useSetModelStatus() {
  const refresh = useRefreshModels();
  return useMutation({
    mutationFn: ({ model, status, replace = false }: StatusChange) =>
      answer(
        client.PATCH("/backend/model/{uuid}/status/{status}", {
          params: { path: { uuid: model.uuid, status }, query: { version: model.version, replace } },
        }),
      ),
    onSettled: refresh,
  });
}

interface Removal {
  uuid: string;
  /** One alone; all of them where it is left out. */
  version?: number;
  /** What has to be disabled first. */
  enabled: Model[];
}

/** Removes a model or one version of it; what is in service is disabled first. */
export function useRemoveModel() {
  const refresh = useRefreshModels();
  return useMutation({
    mutationFn: async ({ uuid, version, enabled }: Removal) => {
      for (const model of enabled) {
        const path = { uuid, status: "disabled" } as const;
        await answer(
          client.PATCH("/backend/model/{uuid}/status/{status}", {
            params: { path, query: { version: model.version } },
          }),
        );
      }
      await answer(client.DELETE("/backend/model/{uuid}", { params: { path: { uuid }, query: { version } } }));
    },
    onSettled: refresh,
  });
}

/** What can be added as a model. */
export function useModelOptions() {
  return useQuery({
    queryKey: keys.modelOptions,
    queryFn: ({ signal }) => answer(client.GET("/backend/model/options", { signal })),
  });
}

/** Makes a model of an upload. The server tries it first, which takes some seconds; of weights, a minute or more. */
export function useAddModel() {
  const refresh = useRefreshModels();
  return useMutation({
    mutationFn: (request: Partial<ModelRequest> & Pick<ModelRequest, "upload" | "type" | "name">) =>
      answer(
        client.POST("/backend/model", {
          // What is left out has the server's defaults, which the generated type does not know of.
          body: request as ModelRequest,
        }),
      ),
    // Where the connection broke off, the server may have gone on.
    onSettled: refresh,
  });
}

function useRefreshModels() {
  const queries = useQueryClient();
  return () =>
    Promise.all([["models"], keys.status, keys.stats].map((queryKey) => queries.invalidateQueries({ queryKey })));
}

async function listModels(type: ModelType, status: Model["status"] | undefined, signal: AbortSignal): Promise<Model[]> {
  const models: Model[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const query = { status, cursor };
    const call = client.GET("/backend/model/{type}", { params: { path: { type }, query }, signal });
    models.push(...(await answer(call)));
    cursor = nextCursor((await call).response);
  }
  return models;
}

/** What leads to the next part of a list whose body is a plain array (RFC 8288); undefined at its end. */
export function nextCursor(response: Response): string | undefined {
  const link = /<([^>]*)>; *rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  return link === undefined
    ? undefined
    : (new URL(link, window.location.origin).searchParams.get("cursor") ?? undefined);
}
