import { useQuery } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";

/** The enabled models of a type. */
export function useModels(type: "detector" | "generator") {
  return useQuery({
    queryKey: keys.models(type),
    queryFn: ({ signal }) =>
      answer(client.GET("/backend/model/{type}", { params: { path: { type }, query: { status: "enabled" } }, signal })),
  });
}
