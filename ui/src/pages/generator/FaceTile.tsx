import { Check, Heart } from "lucide-react";
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
    // It only takes note of which of its buttons have the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      aria-setsize={count}
      aria-posinset={index + 1}
      onFocus={() => onFocus(index)}
      className={`tile${selected ? " selected" : ""}${selecting ? " selecting" : ""}`}
    >
      <button
        type="button"
        className="tile-face"
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
      >
        <img
          src={thumbnailUrl(image)}
          alt=""
          loading="lazy"
          decoding="async"
          width={256}
          height={256}
          draggable={false}
        />
      </button>
      <span className={selected ? "tile-select" : "tile-select on-hover"}>
        <input
          type="checkbox"
          checked={selected}
          onChange={() => onSelect(image.uuid)}
          aria-label={text.generator.select(name)}
          tabIndex={tabIndex}
        />
        <Check size={18} strokeWidth={3.5} aria-hidden />
      </span>
      <button
        type="button"
        className={liked || image.likes > 0 ? "tile-like" : "tile-like on-hover"}
        aria-label={text.generator.like(name, image.likes)}
        aria-pressed={liked}
        tabIndex={tabIndex}
        onClick={() => onLike(image.uuid)}
      >
        <Heart size={16} fill={liked ? "currentColor" : "none"} aria-hidden />
        {image.likes > 0 && <span>{image.likes}</span>}
      </button>
    </li>
  );
});
