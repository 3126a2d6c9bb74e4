import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answer, client } from "./client";
import type { ModelType } from "./datasets";
import { keys } from "./queries";
import type { Training, TrainingDetail, TrainingRequest } from "./types";

/** Asked again so often while one of them goes on; the open one is told of as it changes. */
const WHILE_GOING = 2_500;
/** In case events do not come through. */
const WITHOUT_EVENTS = 5_000;

/** Trainings of models of a type, newest first, a part at a time. */
export function useTrainingList(type: ModelType, enabled = true) {
  return useInfiniteQuery({
    queryKey: keys.trainingList(type),
    enabled,
    queryFn: ({ pageParam, signal }) =>
      answer(
        client.GET("/backend/training/{type}", {
          params: { path: { type }, query: { cursor: pageParam, limit: 50 } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.trainings.some(goesOn)) ? WHILE_GOING : false,
  });
}

/** One training, as it changes. */
export function useTraining(uuid: string) {
  const [told, setTold] = useState(false);
  const query = useQuery({
    queryKey: keys.training(uuid),
    queryFn: ({ signal }) =>
      // The client takes pairs for lists of any length.
      answer(
        client.GET("/backend/training/{uuid}/report", { params: { path: { uuid } }, signal }),
      ) as Promise<TrainingDetail>,
    refetchInterval: ({ state }) => (!told && state.data && !hasEnded(state.data) ? WITHOUT_EVENTS : false),
  });
  useTrainingEvents(uuid, query.data !== undefined && !hasEnded(query.data), setTold);
  return query;
}

/** Keeps what the server tells of a training in the cache, as long as it goes on. */
function useTrainingEvents(uuid: string, going: boolean, onTold: (told: boolean) => void): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!going || !("EventSource" in window)) return;
    const source = new EventSource(`/backend/training/${uuid}/events`);
    source.onopen = () => onTold(true);
    source.onerror = () => onTold(false);
    source.addEventListener("training", (event: MessageEvent<string>) => {
      const training = JSON.parse(event.data) as TrainingDetail;
      queries.setQueryData(keys.training(uuid), training);
      if (!hasEnded(training)) return;
      // The server says no more; left open, the browser would ask again and again.
      source.close();
      void queries.invalidateQueries({ queryKey: [...keys.trainings, "list"] });
      void queries.invalidateQueries({ queryKey: ["models"] });
    });
    return () => {
      source.close();
      onTold(false);
    };
  }, [uuid, going, queries, onTold]);
}

export function useTrainingOptions() {
  return useQuery({
    queryKey: keys.trainingOptions,
    queryFn: ({ signal }) => answer(client.GET("/backend/training/options", { signal })),
  });
}

export function useQueueTraining() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (request: TrainingRequest) => answer(client.POST("/backend/training", { body: request })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.trainings }),
  });
}

export type TrainingAct = "pause" | "resume" | "retry" | "remove";

export function useTrainingAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid, act }: { uuid: string; act: TrainingAct }): Promise<unknown> => {
      const path = { uuid };
      switch (act) {
        case "pause":
        case "resume":
          return answer(
            client.PATCH("/backend/training/{uuid}/status/{status}", {
              params: { path: { uuid, status: act === "pause" ? "paused" : "running" } },
            }),
          );
        case "retry":
          return answer(client.POST("/backend/training/{uuid}/retry", { params: { path } }));
        case "remove":
          return answer(client.DELETE("/backend/training/{uuid}", { params: { path } }));
      }
    },
    onSuccess: (_answer, { uuid, act }) => {
      if (act === "remove") {
        queries.removeQueries({ queryKey: keys.training(uuid) });
        return queries.invalidateQueries({ queryKey: [...keys.trainings, "list"] });
      }
      return queries.invalidateQueries({ queryKey: keys.trainings });
    },
  });
}

/** Goes through the queue now. */
export function useProcessQueue() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(client.POST("/backend/training/process")),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.trainings }),
  });
}

/** The last lines that a training wrote. */
export function useTrainingLog(uuid: string, live: boolean) {
  return useQuery({
    queryKey: [...keys.trainings, "log", uuid],
    queryFn: ({ signal }) =>
      answer<string>(
        client.GET("/backend/training/{uuid}/log", { params: { path: { uuid } }, parseAs: "text", signal }),
      ),
    refetchInterval: live ? 5_000 : false,
  });
}

export function hasEnded(training: Training): boolean {
  return training.status === "done" || training.status === "failed";
}

/** Whether something of it changes by itself. */
export function goesOn(training: Training): boolean {
  return training.status === "running" || training.status === "pending";
}
