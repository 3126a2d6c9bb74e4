import { Box, Typography } from "@mui/material";
import type { Model } from "../../../api/types";
import { useText } from "../../../text";
import { generatorFigures } from "./figures";
import { Figure, Figures } from "./KeyFigures";

/** How near a generator comes to real faces, and a wall of what it makes. */
export function GeneratorFigures({ model }: { model: Model }) {
  const text = useText();
  const words = text.settings.model;
  const [first] = generatorFigures(model);
  return (
    <Box sx={{ display: "grid", gap: 2 }}>
      {first && (
        <>
          <Figures>
            <Figure name={words.kid}>{first[1].kid.toFixed(3)}</Figure>
            <Figure name={words.kidOfReal}>{first[1].kid_of_real.toFixed(3)}</Figure>
            {typeof first[1].nearest_training === "number" && (
              <Figure name={words.nearest} title={words.nearestHint}>
                {first[1].nearest_training.toFixed(2)}
              </Figure>
            )}
          </Figures>
          <Typography variant="body2" color="textSecondary">
            {words.kidHint} {typeof first[1].nearest_training === "number" && words.nearestHint}
          </Typography>
        </>
      )}
      {model.samples && (
        <Box
          component="img"
          src={model.samples}
          alt={words.samplesOf(model.label)}
          sx={{ width: 1, aspectRatio: "1", borderRadius: 4, bgcolor: "action.hover", display: "block" }}
        />
      )}
    </Box>
  );
}
