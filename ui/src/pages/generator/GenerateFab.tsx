import { Badge, Fab } from "@mui/material";
import { Plus } from "lucide-react";
import { useText } from "../../text";
import type { Batches } from "./useBatches";

/** '+' in reach of the thumb; wide screens have the button of the recipe instead. */
export function GenerateFab({ batches }: { batches: Batches }) {
  const text = useText();
  return (
    <Badge
      badgeContent={batches.arriving}
      color="secondary"
      overlap="circular"
      sx={{
        display: { xs: "inline-flex", md: "none" },
        position: "fixed",
        zIndex: "fab",
        right: 20,
        bottom: { xs: "calc(76px + env(safe-area-inset-bottom))", md: 24 },
      }}
    >
      <Fab
        color="primary"
        aria-label={text.generator.generate(batches.size)}
        disabled={!batches.ready}
        onClick={() => {
          batches.generate();
          // On a phone the new faces would arrive out of sight.
          document.getElementById("gallery-heading")?.scrollIntoView();
        }}
      >
        <Plus aria-hidden />
      </Fab>
    </Badge>
  );
}
