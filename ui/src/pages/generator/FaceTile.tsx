import { Box, ButtonBase, Checkbox } from "@mui/material";
import { Heart } from "lucide-react";
import { memo, type MouseEvent } from "react";
import { thumbnailUrl } from "../../api/images";
import type { Image } from "../../api/types";
import { useText } from "../../text";
import { nameOf } from "./nameOf";

interface FaceTileProps {
  image: Image;
  index: number;
  /** of all faces that are known; those far from the screen are not in the document */
  count: number;
  /** Whether Tab reaches it; the others are reached by arrow keys. */
  active: boolean;
  selected: boolean;
  selecting: boolean;
  liked: boolean;
  onPress: (index: number, event: MouseEvent) => void;
  onSelect: (uuid: string) => void;
  onLike: (uuid: string) => void;
  onFocus: (index: number) => void;
}

/** A face on the wall. */
export const FaceTile = memo(function FaceTile(props: FaceTileProps) {
  const { image, index, count, active, selected, selecting, liked, onPress, onSelect, onLike, onFocus } = props;
  const text = useText();
  const name = nameOf(image, text);
  const tabIndex = active ? 0 : -1;
  return (
    <Box
      component="li"
      aria-setsize={count}
      aria-posinset={index + 1}
      onFocus={() => onFocus(index)}
      sx={{
        position: "relative",
        aspectRatio: "1",
        borderRadius: 4,
        "& .on-hover": { opacity: selecting ? 1 : 0, transition: "opacity .15s" },
        "&:hover .on-hover, &:focus-within .on-hover": { opacity: 1 },
        "@media (hover: none)": { "& .on-hover.like": { opacity: 1 } },
      }}
    >
      <ButtonBase
        data-tile={index}
        aria-label={text.generator.open(name)}
        tabIndex={tabIndex}
        onClick={(event) => onPress(index, event)}
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          onSelect(image.uuid);
        }}
        // Firefox presses a button when space is let go, and listens to this event alone.
        onKeyUp={(event) => event.key === " " && event.preventDefault()}
        sx={{
          width: "100%",
          height: "100%",
          borderRadius: 4,
          overflow: "hidden",
          bgcolor: "action.hover",
          transition: "transform .2s, box-shadow .2s",
          transform: selected ? "scale(.93)" : "none",
          boxShadow: selected ? "0 0 0 4px var(--mui-palette-primary-main)" : "none",
          "&:focus-visible": { outlineOffset: selected ? 5 : 2 },
        }}
      >
        <img
          src={thumbnailUrl(image)}
          alt=""
          loading="lazy"
          decoding="async"
          width={256}
          height={256}
          draggable={false}
          style={{ width: "100%", height: "100%", objectFit: "cover" }}
        />
      </ButtonBase>
      <Checkbox
        className={selected ? "" : "on-hover"}
        checked={selected}
        onChange={() => onSelect(image.uuid)}
        slotProps={{ input: { "aria-label": text.generator.select(name), tabIndex } }}
        size="small"
        sx={{ position: "absolute", top: 6, left: 6, p: 0.5, ...overPicture }}
      />
      <ButtonBase
        className={liked || image.likes > 0 ? "" : "on-hover like"}
        aria-label={text.generator.like(name, image.likes)}
        aria-pressed={liked}
        tabIndex={tabIndex}
        onClick={() => onLike(image.uuid)}
        sx={{
          position: "absolute",
          right: 6,
          bottom: 6,
          gap: 0.5,
          height: 30,
          minWidth: 30,
          px: 0.75,
          borderRadius: 99,
          fontSize: "0.8125rem",
          fontWeight: 600,
          fontVariantNumeric: "tabular-nums",
          ...overPicture,
          ...(liked && { color: "#ff8f66" }),
          "& svg": { transition: "transform .2s" },
          "&:active svg": { transform: "scale(1.3)" },
        }}
      >
        <Heart size={16} fill={liked ? "currentColor" : "none"} aria-hidden />
        {image.likes > 0 && <span>{image.likes}</span>}
      </ButtonBase>
    </Box>
  );
});

/** Pictures may have any colour, so what lies on them brings its own ground. */
const overPicture = {
  color: "#fff",
  bgcolor: "rgba(12, 16, 14, .62)",
  backdropFilter: "blur(6px)",
  "&:hover": { bgcolor: "rgba(12, 16, 14, .8)" },
  "&.Mui-checked": { color: "#fff", bgcolor: "primary.dark" },
} as const;
