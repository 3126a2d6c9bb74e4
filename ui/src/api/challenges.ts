import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type { Challenge, ChallengeSettingsChange } from "./types";

const GOING_ON: readonly Challenge["state"][] = ["queued", "training", "judging"];

export function isGoingOn(challenge: Challenge): boolean {
  return GOING_ON.includes(challenge.state);
}

/** Challenges, newest first; asked again soon while one goes on. */
export function useChallenges() {
  return useInfiniteQuery({
    queryKey: keys.challenges,
    queryFn: ({ pageParam, signal }) =>
      answer(client.GET("/backend/challenge", { params: { query: { limit: 20, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.challenges.some(isGoingOn)) ? 2_000 : 30_000,
  });
}

/** How far the training of a challenge is. */
export function useChallengeTraining(challenge: Challenge) {
  const uuid = challenge.training;
  return useQuery({
    queryKey: keys.training(uuid ?? ""),
    queryFn: ({ signal }) =>
      answer(client.GET("/backend/training/{uuid}/report", { params: { path: { uuid: uuid ?? "" } }, signal })),
    enabled: uuid !== null && isGoingOn(challenge),
    refetchInterval: 2_000,
  });
}

export function useStartChallenge() {
  const refresh = useRefreshChallenges();
  return useMutation({
    // What is left out has the server's defaults.
    mutationFn: (model: string) =>
      answer(client.POST("/backend/challenge", { body: { model, training: {}, rule: {} } })),
    onSuccess: refresh,
  });
}

export type Decision = "accept" | "reject" | "rollback" | "cancel";

/** Switches, keeps, switches back, or ends what goes on. */
export function useDecide() {
  const refresh = useRefreshChallenges();
  return useMutation({
    mutationFn: ({ uuid, decision }: { uuid: string; decision: Decision }) =>
      answer(client.POST(`/backend/challenge/{uuid}/${decision}`, { params: { path: { uuid } } })),
    onSettled: refresh,
  });
}

export function useChallengeSettings() {
  return useQuery({
    queryKey: keys.challengeSettings,
    queryFn: ({ signal }) => answer(client.GET("/backend/challenge/settings", { signal })),
  });
}

export function useChangeChallengeSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: ChallengeSettingsChange) =>
      answer(client.POST("/backend/challenge/settings", { body: change })),
    onSuccess: (settings) => queries.setQueryData(keys.challengeSettings, settings),
  });
}

/** What serves changes with it. */
function useRefreshChallenges() {
  const queries = useQueryClient();
  return () =>
    Promise.all([keys.challenges, ["models"], keys.status].map((queryKey) => queries.invalidateQueries({ queryKey })));
}
