import { Alert, Box, Card, IconButton, LinearProgress, Tooltip, Typography } from "@mui/material";
import { CircleCheck, FileArchive, Images, Pause, Play, X } from "lucide-react";
import { problemText } from "../../../components/problemText";
import { bytes } from "../../../numbers";
import { useTrainingsText } from "../../../text/trainings";
import { duration, percent } from "../format";
import { type Draft, draftStore, type Item } from "./upload/draftStore";

const NAMED = 3;

/** Uploads under way, each with its progress, and what was left here. */
export function UploadList({ draft }: { draft: Draft }) {
  const text = useTrainingsText();
  const words = text.trainings.upload;
  const { items, ignored } = draft;
  return (
    <>
      {items.length > 0 && (
        <Box component="ul" aria-label={words.list} sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1.25 }}>
          {items.map((item) => (
            <UploadRow key={item.id} item={item} />
          ))}
        </Box>
      )}
      {ignored.length > 0 && (
        <Alert severity="info">
          {words.ignored(
            ignored.length,
            [...ignored.slice(0, NAMED), ...(ignored.length > NAMED ? ["…"] : [])].join(", "),
          )}
        </Alert>
      )}
    </>
  );
}

function UploadRow({ item }: { item: Item }) {
  const text = useTrainingsText();
  const words = text.trainings.upload;
  const { id, parcel, state, sent, speed, error } = item;
  const size = parcel.data.size;
  const share = size > 0 ? sent / size : 0;
  const goes = state === "sending" || state === "retrying";
  const Icon = parcel.pictures === null ? FileArchive : Images;
  const said = {
    waiting: words.waiting,
    sending: words.sending(
      percent(share, text.language, 0),
      speed > 0 ? `${bytes(speed, text.language)}/s` : "",
      speed > 0 ? words.left(duration((size - sent) / speed, text)) : item.resumed ? words.resuming : "",
    ),
    retrying: words.retrying,
    paused: `${words.paused} · ${percent(share, text.language, 0)}`,
    done: words.done,
    failed: error ? problemText(error, text).detail : words.failed,
  }[state];
  return (
    <Card component="li" sx={{ p: 2, borderRadius: 4 }}>
      <Box sx={{ display: "flex", alignItems: "center", gap: 1.5 }}>
        <Box sx={{ color: "primary.main", display: "flex" }}>
          {state === "done" ? <CircleCheck size={24} aria-hidden /> : <Icon size={24} strokeWidth={1.75} aria-hidden />}
        </Box>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Box sx={{ fontWeight: 600, overflowWrap: "anywhere", lineHeight: 1.35 }}>{parcel.title}</Box>
          <Typography variant="body2" color="textSecondary">
            {[parcel.pictures === null ? null : words.packed(parcel.pictures), bytes(size, text.language)]
              .filter(Boolean)
              .join(" · ")}
          </Typography>
        </Box>
        {(goes || state === "paused" || state === "failed") && (
          <Tooltip title={goes ? words.pause(parcel.title) : words.resume(parcel.title)}>
            <IconButton
              aria-label={goes ? words.pause(parcel.title) : words.resume(parcel.title)}
              onClick={() => (goes ? draftStore.pause(id) : draftStore.resume(id))}
            >
              {goes ? <Pause size={18} /> : <Play size={18} />}
            </IconButton>
          </Tooltip>
        )}
        <Tooltip title={words.remove(parcel.title)}>
          <IconButton aria-label={words.remove(parcel.title)} onClick={() => draftStore.remove(id)}>
            <X size={18} />
          </IconButton>
        </Tooltip>
      </Box>
      {state !== "done" && (
        <LinearProgress
          aria-label={words.progress(parcel.title)}
          variant="determinate"
          value={share * 100}
          color={state === "failed" ? "secondary" : "primary"}
          sx={{
            mt: 1.25,
            height: 6,
            borderRadius: 9,
            bgcolor: "action.selected",
            opacity: state === "paused" ? 0.6 : 1,
          }}
        />
      )}
      <Typography
        variant="body2"
        role={state === "failed" ? "alert" : undefined}
        sx={{
          mt: 0.75,
          fontVariantNumeric: "tabular-nums",
          color: state === "failed" ? "secondary.main" : "text.secondary",
        }}
      >
        {said}
      </Typography>
    </Card>
  );
}
