import { Box, Button, ToggleButton, ToggleButtonGroup, Typography } from "@mui/material";
import { Sparkles } from "lucide-react";
import { useNeighbours } from "../../api/images";
import type { Image } from "../../api/types";
import { problemText } from "../../components/problemText";
import { usePreference } from "../../preferences";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";

/** How many faces one press makes: as many as stand in a row under the picture. */
const COUNT = 8;

/** Steps through latent space; 1 would be as far as to an unrelated face. */
const DISTANCES = { near: 0.15, middle: 0.3, far: 0.6 } as const;

interface NeighboursProps {
  image: Image;
  onMade: (images: Image[]) => void;
}

/** Makes more faces like this one, closely or loosely. */
export function Neighbours({ image, onMade }: NeighboursProps) {
  const text = useText();
  const words = text.generator.large;
  const say = useNotice();
  const [how, setHow] = usePreference<keyof typeof DISTANCES>("generator.neighbours", "middle");
  const { mutate, isPending } = useNeighbours();
  const make = () =>
    mutate(
      { image: image.uuid, count: COUNT, distance: DISTANCES[how] },
      {
        onSuccess: ({ images }) => onMade(images),
        onError: (error) => say(problemText(error, text).detail, "error"),
      },
    );
  return (
    <Box sx={{ display: "grid", gap: 1 }}>
      <Button
        variant="contained"
        fullWidth
        loading={isPending}
        loadingPosition="start"
        startIcon={<Sparkles size={18} />}
        onClick={make}
      >
        {words.moreLikeThis}
      </Button>
      <ToggleButtonGroup
        exclusive
        fullWidth
        size="small"
        value={how}
        aria-label={words.howAlike}
        sx={{
          "& button:first-of-type": { borderRadius: "99px 0 0 99px" },
          "& button:last-of-type": { borderRadius: "0 99px 99px 0" },
        }}
        onChange={(_event, next: keyof typeof DISTANCES | null) => next && setHow(next)}
      >
        {(Object.keys(DISTANCES) as (keyof typeof DISTANCES)[]).map((each) => (
          <ToggleButton key={each} value={each}>
            {words.alike[each]}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <Typography variant="body2" color="textSecondary">
        {words.moreLikeThisHint}
      </Typography>
    </Box>
  );
}
