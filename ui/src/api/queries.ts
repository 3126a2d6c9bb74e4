import { QueryClient } from "@tanstack/react-query";
import { isPassing, waitBeforeRetry } from "./problem";

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (tries, error) => tries < 4 && isPassing(error),
        retryDelay: waitBeforeRetry,
      },
    },
  });
}

/** Names of what is kept in the cache. */
export const keys = {
  status: ["status"],
  settings: ["settings"],
  session: ["session"],
  images: ["images"],
  gallery: ["images", "gallery"],
  newest: (count: number) => ["images", "newest", count],
  stats: ["stats"],
  models: (type: "detector" | "generator") => ["models", type],
  allModels: (type: "detector" | "generator") => ["models", type, "all"],
  modelOptions: ["model options"],
  ownPictures: ["images", "own"],
  challenges: ["challenges"],
  challengeSettings: ["challenges", "settings"],
  apiKeys: ["api keys"],
  audit: (action: string) => ["audit", action],
  datasets: ["datasets"],
  datasetList: (type: "detector" | "generator") => ["datasets", "list", type],
  dataset: (uuid: string) => ["datasets", "one", uuid],
  datasetFiles: (uuid: string, which: string) => ["datasets", "files", uuid, which],
  trainings: ["trainings"],
  trainingList: (type: "detector" | "generator") => ["trainings", "list", type],
  training: (uuid: string) => ["trainings", "one", uuid],
  trainingOptions: ["trainings", "options"],
} as const;
