import { Box, Button, Typography } from "@mui/material";
import { ImagePlus } from "lucide-react";
import {
  type MouseEvent,
  type ReactNode,
  Suspense,
  useCallback,
  useDeferredValue,
  useMemo,
  useRef,
  useState,
} from "react";
import { useGallery } from "../../api/images";
import type { Image } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { problemText } from "../../components/problemText";
import { ProblemAlert } from "../../components/ProblemAlert";
import { soon } from "../../components/soon";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";
import "./gallery.css";
import { FaceTile } from "./FaceTile";
import { LoadMore } from "./LoadMore";
import { madeAlike, useMixes } from "./mixing";
import { allOf, extendedTo, nothing, type Selection, toggled } from "./selection";
import { SelectionBar } from "./SelectionBar";
import { TileSkeleton } from "./TileSkeleton";
import { useGridKeys } from "./useGridKeys";
import { useLikes } from "./useLikes";
import { useRows } from "./useRows";

const LargeView = soon(async () => (await import("./LargeView")).LargeView);
const MixDialog = soon(async () => (await import("./MixDialog")).MixDialog);

const FIRST_SKELETONS = 12;
const NONE: Image[] = [];

interface GalleryProps {
  /** Faces that were asked for and are not here yet. */
  arriving: number;
  onFirst: () => void;
  canGenerate: boolean;
  /** What floats over the gallery; it gives way to the bar of the selection. */
  floating: ReactNode;
}

/** All faces, newest first. */
export function Gallery({ arriving, onFirst, canGenerate, floating }: GalleryProps) {
  const text = useText();
  const say = useNotice();
  const { data, error, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, refetch } = useGallery();
  const newest = useMemo(() => data?.pages.flatMap((page) => page.images), [data]);
  // Many tiles at once are made in small pieces; those that stand in for them stay as long.
  const tiles = useDeferredValue(newest);
  const coming = useDeferredValue(arriving);
  const isPending = !tiles;
  const images = tiles ?? NONE;
  const order = useMemo(() => images.map((image) => image.uuid), [images]);

  const [selectMode, setSelectMode] = useState(false);
  const [selection, setSelection] = useState<Selection>(nothing);
  const [shown, setShown] = useState<string | null>(null);
  const { liked, toggleLike } = useLikes(
    useCallback((e: unknown) => say(problemText(e, text).detail, "error"), [say, text]),
  );

  const mixes = useMixes();
  const [mixing, setMixing] = useState<[Image, Image | null] | null>(null);
  const pair = pairToMix(images, selection, mixes);
  const selecting = selectMode || selection.chosen.size > 0;
  const stopSelecting = () => {
    setSelection(nothing);
    setSelectMode(false);
  };
  const list = useRef<HTMLUListElement>(null);
  const waiting = isPending ? FIRST_SKELETONS : coming;
  const rows = useRows(list, waiting + images.length);
  const grid = useGridKeys(list, images.length, waiting, rows, (index, extend) => {
    const uuid = order[index];
    const from = order[grid.active];
    if (!extend || !uuid || !from) return;
    setSelection((now) => extendedTo(now.anchor ? now : { chosen: now.chosen, anchor: from }, uuid, order));
  });
  const press = useCallback(
    (index: number, event: MouseEvent) => {
      const uuid = order[index];
      if (!uuid) return;
      if (event.shiftKey) setSelection((now) => extendedTo(now, uuid, order));
      else if (selecting || event.ctrlKey || event.metaKey) setSelection((now) => toggled(now, uuid));
      else setShown(uuid);
    },
    [order, selecting],
  );
  const select = useCallback((uuid: string) => setSelection((now) => toggled(now, uuid)), []);
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);

  if (error && !data) {
    return (
      <>
        <ProblemAlert error={error} onRetry={() => void refetch()} />
        {floating}
      </>
    );
  }
  const empty = !isPending && images.length === 0 && arriving === 0 && coming === 0;

  return (
    <Box component="section" aria-labelledby="gallery-heading" sx={{ minWidth: 0 }}>
      <Box sx={{ display: "flex", alignItems: "center", gap: 1.5, mb: 1.5, minHeight: 40 }}>
        <Typography variant="h3" component="h2" id="gallery-heading">
          {text.generator.gallery}
        </Typography>
        <Typography variant="body2" color="textSecondary" role="status">
          {arriving > 0
            ? text.generator.arrivingCount(arriving)
            : images.length > 0 && text.generator.galleryCount(images.length, hasNextPage)}
        </Typography>
        <Box sx={{ flex: 1 }} />
        {images.length > 0 && (
          <Button
            size="small"
            variant={selecting ? "contained" : "outlined"}
            title={text.generator.selectHint}
            aria-pressed={selecting}
            onClick={() => (selecting ? stopSelecting() : setSelectMode(true))}
          >
            {selecting ? text.generator.selectDone : text.generator.selectMode}
          </Button>
        )}
      </Box>
      {empty ? (
        <EmptyState icon={ImagePlus} title={text.generator.emptyTitle} detail={text.generator.empty}>
          <Button variant="contained" onClick={onFirst} disabled={!canGenerate}>
            {text.generator.emptyButton}
          </Button>
        </EmptyState>
      ) : (
        // Keys move through the tiles like through a grid, in addition to buttons that work without; and Safari forgets
        // that a list without bullets is a list.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/no-redundant-roles
        <ul
          ref={list}
          style={{ paddingTop: rows.before, paddingBottom: rows.after }}
          aria-label={text.generator.gallery}
          aria-busy={isPending || arriving > 0}
          role="list"
          className="gallery"
          onKeyDown={(event) => {
            if (event.key === "Escape") stopSelecting();
            else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              setSelection(allOf(order));
            } else grid.onKeyDown(event);
          }}
        >
          {skeletons(Math.min(rows.to, waiting) - rows.from)}
          {images.slice(Math.max(0, rows.from - waiting), Math.max(0, rows.to - waiting)).map((image, n) => {
            const index = Math.max(0, rows.from - waiting) + n;
            return (
              <FaceTile
                key={image.uuid}
                image={image}
                index={index}
                count={images.length}
                active={index === grid.active}
                selected={selection.chosen.has(image.uuid)}
                selecting={selecting}
                liked={liked.has(image.uuid)}
                onPress={press}
                onSelect={select}
                onLike={toggleLike}
                onFocus={grid.setActive}
              />
            );
          })}
        </ul>
      )}
      <LoadMore
        more={hasNextPage && !isFetchNextPageError}
        loading={isFetchingNextPage}
        loaded={images.length}
        onReach={loadMore}
      />
      {isFetchNextPageError && <ProblemAlert error={error} onRetry={loadMore} />}
      {selecting ? (
        <SelectionBar
          chosen={order.filter((uuid) => selection.chosen.has(uuid))}
          onAll={() => setSelection(allOf(order))}
          onClear={stopSelecting}
          onMix={pair ? () => setMixing(pair) : undefined}
        />
      ) : (
        floating
      )}
      <Suspense>
        <LargeView
          images={newest ?? NONE}
          shown={shown}
          onShow={setShown}
          liked={shown !== null && liked.has(shown)}
          onLike={toggleLike}
          onMix={(image) => setMixing([image, null])}
        />
        {mixing && (
          <MixDialog
            image={mixing[0]}
            other={mixing[1]}
            images={newest ?? NONE}
            onClose={() => setMixing(null)}
            onShow={(uuid) => {
              setMixing(null);
              stopSelecting();
              setShown(uuid);
            }}
          />
        )}
      </Suspense>
    </Box>
  );
}

function skeletons(count: number): ReactNode {
  return Array.from({ length: Math.max(0, count) }, (_, n) => <TileSkeleton key={n} />);
}

/** The two selected faces, where their styles can be mixed. */
function pairToMix(images: Image[], { chosen }: Selection, mixes: (image: Image) => boolean): [Image, Image] | null {
  if (chosen.size !== 2) return null;
  const [one, other] = images.filter(({ uuid }) => chosen.has(uuid));
  return one && other && madeAlike(one, other) && mixes(one) ? [one, other] : null;
}
