import { Box, Button, Dialog, IconButton, Typography } from "@mui/material";
import { Blend, ChevronLeft, ChevronRight, Download, Heart, RefreshCw, X } from "lucide-react";
import { type KeyboardEvent, type RefObject, useRef, useState } from "react";
import { useCount, useGenerate } from "../../api/images";
import type { Image } from "../../api/types";
import { problemText } from "../../components/problemText";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";
import { fileName, save } from "./download";
import { HowMadeTable } from "./HowMadeTable";
import { useMixes } from "./mixing";
import { nameOf } from "./nameOf";
import { Neighbours } from "./Neighbours";
import { Strip } from "./Strip";

interface LargeViewProps {
  images: Image[];
  /** uuid of the face that is shown; null = closed */
  shown: string | null;
  onShow: (uuid: string | null) => void;
  liked: boolean;
  onLike: (uuid: string) => void;
  /** Mix its styles with those of another face. */
  onMix: (image: Image) => void;
}

/** One face, large, with how it was made. Left and right arrow go through the gallery. */
export function LargeView({ images, shown, onShow, liked, onLike, onMix }: LargeViewProps) {
  // A face and the last ones that were made like it; they stay in sight while one of them is shown.
  const [alike, setAlike] = useState<Image[]>([]);
  const top = useRef<HTMLDivElement>(null);
  const index = images.findIndex((image) => image.uuid === shown);
  const image = images[index];
  const go = (step: number) => {
    const next = images[index + step];
    if (next) onShow(next.uuid);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  };
  return (
    <Dialog
      open={image !== undefined}
      onClose={() => onShow(null)}
      onKeyDown={onKeyDown}
      maxWidth="md"
      fullWidth
      aria-labelledby="large-view-title"
      slotProps={{ paper: { sx: { m: { xs: 1.5, sm: 4 }, width: { xs: "calc(100% - 24px)", sm: "100%" } } } }}
    >
      {image && (
        <Face
          image={image}
          liked={liked}
          onLike={() => onLike(image.uuid)}
          onShow={onShow}
          onPrevious={index > 0 ? () => go(-1) : undefined}
          onNext={index < images.length - 1 ? () => go(1) : undefined}
          alike={alike.some(({ uuid }) => uuid === image.uuid) ? alike : []}
          onAlike={(made) => {
            setAlike([image, ...made]);
            // On a phone the button is far below the faces that it makes.
            top.current?.scrollIntoView({ behavior: "smooth", block: "start" });
          }}
          top={top}
          onMix={() => onMix(image)}
        />
      )}
    </Dialog>
  );
}

interface FaceProps {
  image: Image;
  liked: boolean;
  onLike: () => void;
  onShow: (uuid: string | null) => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
  alike: Image[];
  onAlike: (images: Image[]) => void;
  top: RefObject<HTMLDivElement | null>;
  onMix: () => void;
}

function Face({ image, liked, onLike, onShow, onPrevious, onNext, alike, onAlike, top, onMix }: FaceProps) {
  const text = useText();
  const say = useNotice();
  const { mutate: count } = useCount();
  const again = useGenerate();
  const mixes = useMixes();
  const made = image.how_made;
  const makeAgain = () => {
    if (!made) return;
    again.mutate(
      {
        models: [made.model_uuid],
        count: 1,
        seed: made.seed,
        truncation: made.truncation,
        steps: made.steps,
        style: made.style,
      },
      {
        onSuccess: ({ images: [same] }) => {
          say(text.generator.large.againDone);
          if (same) onShow(same.uuid);
        },
        onError: (error) => say(problemText(error, text).detail, "error"),
      },
    );
  };
  const download = () => {
    save(image.url, fileName(image));
    count({ images: [image.uuid], action: "download" });
  };
  return (
    <Box sx={{ display: "grid", gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 1fr) 330px" } }}>
      <Box
        ref={top}
        sx={{
          position: "relative",
          bgcolor: "#0c100e",
          display: "grid",
          alignContent: "center",
          minWidth: 0,
          color: "#fff",
        }}
      >
        <Box
          component="img"
          src={image.url}
          alt={nameOf(image, text)}
          sx={{
            width: "100%",
            aspectRatio: "1",
            maxHeight: { xs: "48vh", md: "70vh" },
            objectFit: "contain",
            display: "block",
          }}
        />
        <Arrow side="left" label={text.generator.large.previous} onClick={onPrevious} />
        <Arrow side="right" label={text.generator.large.next} onClick={onNext} />
        {alike.length > 0 && (
          <Strip
            label={text.generator.large.likeThis}
            images={alike}
            chosen={image.uuid}
            onChoose={({ uuid }) => onShow(uuid)}
          />
        )}
      </Box>
      <Box sx={{ p: { xs: 2.5, md: 3 }, display: "flex", flexDirection: "column", gap: 2 }}>
        <Box sx={{ display: "flex", alignItems: "flex-start", gap: 1 }}>
          <Typography variant="h3" component="h2" id="large-view-title" sx={{ flex: 1, pt: 0.5 }}>
            {text.generator.large.howMade}
          </Typography>
          <IconButton aria-label={text.generator.large.close} onClick={() => onShow(null)} sx={{ m: -0.5 }}>
            <X size={22} />
          </IconButton>
        </Box>
        <HowMadeTable image={image} />
        <Box sx={{ display: "flex", gap: 1, mt: "auto" }}>
          <Button
            variant="outlined"
            color="secondary"
            aria-pressed={liked}
            aria-label={text.generator.like(nameOf(image, text), image.likes)}
            startIcon={<Heart size={18} fill={liked ? "currentColor" : "none"} />}
            onClick={onLike}
          >
            {text.generator.likes(image.likes)}
          </Button>
          <Button variant="outlined" startIcon={<Download size={18} />} onClick={download} sx={{ flex: 1 }}>
            {text.generator.download}
          </Button>
        </Box>
        {made && <Neighbours image={image} onMade={onAlike} />}
        {mixes(image) && (
          <Button variant="outlined" startIcon={<Blend size={18} />} onClick={onMix}>
            {text.generator.mix.open}
          </Button>
        )}
        {made && (
          <Box>
            <Button
              variant="outlined"
              fullWidth
              loading={again.isPending}
              loadingPosition="start"
              startIcon={<RefreshCw size={18} />}
              onClick={makeAgain}
            >
              {text.generator.large.again}
            </Button>
            <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
              {text.generator.large.againHint}
            </Typography>
          </Box>
        )}
      </Box>
    </Box>
  );
}

function Arrow({ side, label, onClick }: { side: "left" | "right"; label: string; onClick: (() => void) | undefined }) {
  const Icon = side === "left" ? ChevronLeft : ChevronRight;
  return (
    <IconButton
      aria-label={label}
      disabled={!onClick}
      onClick={onClick}
      sx={{
        position: "absolute",
        top: { xs: "calc(24vh - 20px)", md: "calc(35vh - 20px)" },
        [side]: 10,
        color: "#fff",
        bgcolor: "rgba(12, 16, 14, .5)",
        "&:hover": { bgcolor: "rgba(12, 16, 14, .8)" },
        "&.Mui-disabled": { opacity: 0 },
      }}
    >
      <Icon />
    </IconButton>
  );
}
