import { Box, Button, Chip, IconButton, Skeleton, Tooltip } from "@mui/material";
import { ScanFace, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { thumbnailUrl } from "../../../api/images";
import { useDeleteAllPictures, useDeletePicture, useOwnPictures } from "../../../api/ownPictures";
import type { Image } from "../../../api/types";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { problemText } from "../../../components/problemText";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { ConfirmDialog } from "../../../components/ConfirmDialog";
import { PartHead } from "../PartHead";

/** What this person uploaded: theirs to see, and theirs to delete. Everyone has this part. */
export function PicturesPart() {
  const text = useText();
  const words = text.settings.picture;
  const say = useNotice();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useOwnPictures();
  const removal = useDeleteAllPictures();
  const [asking, setAsking] = useState(false);
  const images = data?.pages.flatMap((page) => page.images) ?? [];
  const removeAll = () =>
    removal.mutate(undefined, {
      onSuccess: ({ deleted }) => {
        say(words.allDone(deleted));
        setAsking(false);
      },
    });
  return (
    <>
      <PartHead
        title={words.title}
        lead={words.lead}
        action={
          images.length > 0 && (
            <Button variant="outlined" color="error" startIcon={<Trash2 size={18} />} onClick={() => setAsking(true)}>
              {words.all}
            </Button>
          )
        }
      />
      {error && !data && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data && images.length === 0 && (
        <EmptyState icon={ScanFace} title={words.emptyTitle} detail={words.empty}>
          <Button variant="contained" component={Link} to="/detector">
            {words.toDetector}
          </Button>
        </EmptyState>
      )}
      <Box
        component="ul"
        aria-label={words.title}
        sx={{
          listStyle: "none",
          m: 0,
          p: 0,
          display: "grid",
          gap: 1.5,
          gridTemplateColumns: "repeat(auto-fill, minmax(min(140px, 44%), 1fr))",
        }}
      >
        {isPending &&
          Array.from({ length: 6 }, (_, n) => (
            <Skeleton
              key={n}
              component="li"
              variant="rounded"
              sx={{ height: "auto", aspectRatio: "1", borderRadius: 4 }}
            />
          ))}
        {images.map((image) => (
          <Picture key={image.uuid} image={image} onError={(e) => say(problemText(e, text).detail, "error")} />
        ))}
      </Box>
      {hasNextPage && (
        <Button variant="outlined" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} sx={{ mt: 2 }}>
          {text.settings.loadMore}
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        title={words.allTitle}
        detail={words.allText}
        action={words.allButton}
        pending={removal.isPending}
        error={removal.error}
        onConfirm={removeAll}
        onClose={() => setAsking(false)}
      />
    </>
  );
}

function Picture({ image, onError }: { image: Image; onError: (error: unknown) => void }) {
  const text = useText();
  const words = text.settings.picture;
  const say = useNotice();
  const { mutate, isPending } = useDeletePicture();
  const name = image.filename ?? text.detector.pasted;
  return (
    <Box
      component="li"
      sx={{
        position: "relative",
        aspectRatio: "1",
        borderRadius: 4,
        overflow: "hidden",
        bgcolor: "action.hover",
        opacity: isPending ? 0.4 : 1,
      }}
    >
      <Box
        component="img"
        src={thumbnailUrl(image)}
        alt={words.item(name)}
        loading="lazy"
        sx={{ width: 1, height: 1, objectFit: "cover", display: "block" }}
      />
      {image.shared && (
        <Chip
          size="small"
          label={words.shared}
          title={words.sharedHint}
          sx={{ position: "absolute", left: 8, bottom: 8, bgcolor: "background.paper" }}
        />
      )}
      <Tooltip title={words.remove(name)}>
        <IconButton
          aria-label={words.remove(name)}
          disabled={isPending}
          onClick={() => mutate(image.uuid, { onSuccess: () => say(words.removed), onError })}
          sx={{
            position: "absolute",
            top: 6,
            right: 6,
            p: 1,
            color: "#fff",
            bgcolor: "rgba(12, 16, 14, .62)",
            "&:hover": { bgcolor: "error.dark" },
          }}
        >
          <Trash2 size={17} />
        </IconButton>
      </Tooltip>
    </Box>
  );
}
