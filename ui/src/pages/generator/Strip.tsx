import { Box, ButtonBase } from "@mui/material";
import { thumbnailUrl } from "../../api/images";
import type { Image } from "../../api/types";
import { useText } from "../../text";
import { nameOf } from "./nameOf";

interface StripProps {
  label: string;
  images: Image[];
  /** uuid of the one that is marked */
  chosen: string | null;
  onChoose: (image: Image) => void;
}

/** A row of small faces, of which one is chosen. */
export function Strip({ label, images, chosen, onChoose }: StripProps) {
  const text = useText();
  return (
    <Box
      role="group"
      aria-label={label}
      sx={{ display: "flex", gap: 1, p: 1, overflowX: "auto", scrollbarWidth: "thin", minWidth: 0 }}
    >
      {images.map((image) => (
        <ButtonBase
          key={image.uuid}
          aria-label={nameOf(image, text)}
          aria-pressed={image.uuid === chosen}
          onClick={() => onChoose(image)}
          sx={{
            flex: "1 0 52px",
            maxWidth: 76,
            aspectRatio: "1",
            borderRadius: 2,
            overflow: "hidden",
            boxShadow: image.uuid === chosen ? "0 0 0 3px var(--mui-palette-primary-main)" : "none",
            opacity: image.uuid === chosen ? 1 : 0.85,
            "&:hover": { opacity: 1 },
          }}
        >
          <Box
            component="img"
            src={thumbnailUrl(image)}
            alt=""
            width={256}
            height={256}
            sx={{ width: "100%", height: "100%", objectFit: "cover" }}
          />
        </ButtonBase>
      ))}
    </Box>
  );
}
