import { useTrainingList } from "../../../api/trainings";

/** Trainings of both types, newest first, with the way to older ones. */
export function useAllTrainings() {
  const detectors = useTrainingList("detector");
  const generators = useTrainingList("generator");
  const both = [detectors, generators];
  const trainings = both
    .flatMap(({ data }) => data?.pages.flatMap((page) => page.trainings) ?? [])
    .sort((a, b) => b.created_at.localeCompare(a.created_at));
  return {
    trainings,
    isPending: both.some((each) => each.isPending),
    error: both.find((each) => each.error && !each.data)?.error ?? null,
    hasMore: both.some((each) => each.hasNextPage),
    isFetchingMore: both.some((each) => each.isFetchingNextPage),
    more: () => void Promise.all(both.filter((each) => each.hasNextPage).map((each) => each.fetchNextPage())),
    again: () => void Promise.all(both.map((each) => each.refetch())),
  };
}
