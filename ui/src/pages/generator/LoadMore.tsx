import { Box, CircularProgress } from "@mui/material";
import { useEffect, useRef } from "react";
import { useText } from "../../text";

interface LoadMoreProps {
  more: boolean;
  loading: boolean;
  /** Watched anew after each part: a part too short to push the mark off the screen would end the loading otherwise. */
  loaded: number;
  onReach: () => void;
}

/** Asks for the next part when it comes near the screen. */
export function LoadMore({ more, loading, loaded, onReach }: LoadMoreProps) {
  const text = useText();
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!mark.current || !more || loading) return;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && onReach(), {
      rootMargin: "800px",
    });
    watch.observe(mark.current);
    return () => watch.disconnect();
  }, [more, loading, loaded, onReach]);
  return (
    <Box ref={mark} sx={{ display: "grid", placeItems: "center", minHeight: 24, py: 2 }}>
      {loading && <CircularProgress size={28} aria-label={text.generator.loadingMore} />}
    </Box>
  );
}
