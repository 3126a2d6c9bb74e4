import {
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  Slider,
  Typography,
} from "@mui/material";
import { ArrowLeftRight, Blend } from "lucide-react";
import { useState } from "react";
import { useMix } from "../../api/images";
import type { Image } from "../../api/types";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";
import { madeAlike } from "./mixing";
import { nameOf } from "./nameOf";
import { Strip } from "./Strip";

/** Of how many faces the second one is chosen. */
const CHOICE = 24;

interface MixDialogProps {
  /** whose shape it has at first */
  image: Image;
  /** whose style it has at first; null = to be chosen */
  other: Image | null;
  /** where the other is chosen from */
  images: Image[];
  onClose: () => void;
  onShow: (uuid: string) => void;
}

/** Makes faces with the shape of one and the style of another (style mixing). */
export function MixDialog({ image, other, images, onClose, onShow }: MixDialogProps) {
  const text = useText();
  const words = text.generator.mix;
  const choice = images.filter((each) => madeAlike(each, image)).slice(0, CHOICE);
  const [shape, setShape] = useState(image);
  const [style, setStyle] = useState(other ?? choice.find((each) => each.uuid !== image.uuid) ?? image);
  // In tenths, so that what is kept of it is no 0.09999.
  const [share, setShare] = useState(5);
  const { mutate, data, isPending, error } = useMix();
  const mix = () => mutate({ image: shape.uuid, style: style.uuid, crossover: (10 - share) / 10 });
  const made = data?.images[0];
  const swap = () => {
    setShape(style);
    setStyle(shape);
  };
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="mix-title">
      <DialogTitle id="mix-title">{words.title}</DialogTitle>
      <DialogContent sx={{ display: "grid", gridTemplateColumns: "minmax(0, 1fr)", gap: 2 }}>
        <Typography color="textSecondary">{words.lead}</Typography>
        <Box
          sx={{
            display: "grid",
            gridTemplateColumns: {
              xs: "minmax(0, 1fr) auto minmax(0, 1fr)",
              sm: "minmax(0, 1fr) auto repeat(2, minmax(0, 1fr))",
            },
            alignItems: "center",
            gap: 1,
            "& > :last-child": { gridColumn: { xs: "1 / -1", sm: "auto" }, mx: { xs: 6, sm: 0 } },
          }}
        >
          <Picture label={words.shape} image={shape} />
          <IconButton aria-label={words.swap} onClick={swap}>
            <ArrowLeftRight size={20} />
          </IconButton>
          <Picture label={words.style} image={style} />
          <Picture label={words.result} image={made} />
        </Box>
        <Box>
          <Typography variant="h4" component="h3">
            {words.choose}
          </Typography>
          <Strip label={words.choose} images={choice} chosen={style.uuid} onChoose={setStyle} />
        </Box>
        <Box>
          <Typography variant="h4" component="h3" id="mix-share">
            {words.share}
          </Typography>
          <Box sx={{ px: 1 }}>
            <Slider
              aria-labelledby="mix-share"
              size="small"
              value={share}
              min={1}
              max={9}
              step={1}
              getAriaValueText={(value) => text.generator.varietyValue(value * 10)}
              onChange={(_event, next) => setShare(next)}
            />
          </Box>
          <Typography variant="body2" color="textSecondary">
            {words.shareHint}
          </Typography>
        </Box>
        {choice.length < 2 && <Typography role="status">{words.alone}</Typography>}
        {error && <ProblemAlert error={error} onRetry={mix} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{text.generator.large.close}</Button>
        {made && <Button onClick={() => onShow(made.uuid)}>{words.show}</Button>}
        <Button
          variant="contained"
          loading={isPending}
          loadingPosition="start"
          startIcon={<Blend size={18} />}
          disabled={shape.uuid === style.uuid}
          onClick={mix}
        >
          {words.mix}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Picture({ label, image }: { label: string; image: Image | undefined }) {
  const text = useText();
  return (
    <Box component="figure" sx={{ m: 0, minWidth: 0 }}>
      <Box sx={{ aspectRatio: "1", borderRadius: 3, overflow: "hidden", bgcolor: "action.hover" }}>
        {image && (
          <Box
            component="img"
            src={image.url}
            alt={nameOf(image, text)}
            sx={{ width: "100%", height: "100%", objectFit: "cover", display: "block" }}
          />
        )}
      </Box>
      <Typography component="figcaption" variant="body2" color="textSecondary" sx={{ mt: 0.5, textAlign: "center" }}>
        {label}
      </Typography>
    </Box>
  );
}
