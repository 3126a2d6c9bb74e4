import { useCallback } from "react";
import { useCount } from "../../api/images";
import { usePreference } from "../../preferences";

/** Likes of this browser. The server keeps the counts; whose they are, only the browser knows. */
export function useLikes(onError: (error: unknown) => void) {
  const [liked, setLiked] = usePreference<string[]>("liked", []);
  const { mutate } = useCount();
  const toggleLike = useCallback(
    (uuid: string) => {
      const was = liked.includes(uuid);
      setLiked(was ? liked.filter((other) => other !== uuid) : [...liked, uuid]);
      mutate(
        { images: [uuid], action: was ? "unlike" : "like" },
        {
          onError: (error) => {
            setLiked(liked);
            onError(error);
          },
        },
      );
    },
    [liked, setLiked, mutate, onError],
  );
  return { liked: new Set(liked), toggleLike };
}
