import { Box, Button, LinearProgress, Typography } from "@mui/material";
import { CircleCheck, FileBox, UploadCloud } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import type { useUpload } from "../../../api/uploads";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { bytes } from "../../../numbers";
import { ACCEPTED, fileKind } from "./fileKind";

interface ModelFileProps {
  file: File | null;
  upload: ReturnType<typeof useUpload>;
  /** What the file has to take and give. */
  hint: string;
  /** Bytes; a larger one is not sent at all. */
  most: number | undefined;
  /** Why no weights are taken here, if so. */
  noWeights: string | null | undefined;
  onFile: (file: File) => void;
}

/** Takes the file, and shows how far it is. */
export function ModelFile({ file, upload, hint, most, noWeights, onFile }: ModelFileProps) {
  const text = useText();
  const words = text.settings.upload;
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const take = (files: FileList | null | undefined) => {
    const chosen = files?.[0];
    if (!chosen) return;
    const fault = faultOf(chosen);
    setWrong(fault);
    if (fault === null) onFile(chosen);
  };
  const faultOf = (chosen: File): string | null => {
    const kind = fileKind(chosen.name);
    if (kind === "keras" || kind === "pickle" || kind === "other") return words.refused[kind];
    if (kind === "weights" && noWeights) return noWeights;
    if (most !== undefined && chosen.size > most)
      return words.tooLarge(bytes(chosen.size, text.language), bytes(most, text.language));
    return null;
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const share = upload.total > 0 ? upload.sent / upload.total : 0;
  return (
    <Box
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      sx={{
        p: 2.5,
        borderRadius: 4,
        border: "1.5px dashed",
        borderColor: over ? "primary.main" : "divider",
        bgcolor: over ? "primary.light" : "action.hover",
        transition: "background-color .15s, border-color .15s",
      }}
    >
      <input
        ref={input}
        type="file"
        accept={ACCEPTED}
        aria-label={words.file}
        hidden
        onChange={(event) => {
          take(event.target.files);
          event.target.value = "";
        }}
      />
      {file && upload.phase !== "none" ? (
        <Box sx={{ display: "grid", gap: 1.25 }}>
          <Box sx={{ display: "flex", alignItems: "center", gap: 1.5 }}>
            {upload.phase === "sent" ? (
              <Box sx={{ display: "flex", color: "success.main" }}>
                <CircleCheck size={26} aria-hidden />
              </Box>
            ) : (
              <FileBox size={26} aria-hidden />
            )}
            <Box sx={{ flex: 1, minWidth: 0 }}>
              <Typography sx={{ fontWeight: 600, lineHeight: 1.3 }} noWrap title={file.name}>
                {file.name}
              </Typography>
              <Typography
                variant="body2"
                color="textSecondary"
                role="status"
                sx={{ fontVariantNumeric: "tabular-nums" }}
              >
                {upload.phase === "sent"
                  ? `${words.sent} · ${bytes(file.size, text.language)}`
                  : upload.phase === "paused"
                    ? words.paused
                    : words.sending(bytes(upload.sent, text.language), bytes(upload.total, text.language))}
              </Typography>
            </Box>
            {upload.phase === "sending" && (
              <Button size="small" onClick={upload.pause}>
                {words.pause}
              </Button>
            )}
            {upload.phase === "paused" && (
              <Button size="small" onClick={upload.goOn}>
                {words.goOn}
              </Button>
            )}
            {(upload.phase === "sent" || upload.phase === "failed") && (
              <Button size="small" onClick={() => input.current?.click()}>
                {words.another}
              </Button>
            )}
          </Box>
          {upload.phase !== "sent" && (
            <LinearProgress
              variant="determinate"
              value={share * 100}
              aria-label={file.name}
              sx={{ height: 6, borderRadius: 9 }}
            />
          )}
          {upload.phase === "failed" && <ProblemAlert error={upload.error} onRetry={upload.goOn} />}
        </Box>
      ) : (
        <Box sx={{ display: "grid", justifyItems: "center", textAlign: "center", gap: 1 }}>
          <UploadCloud size={32} aria-hidden />
          <Typography sx={{ fontWeight: 600 }}>{over ? words.dropNow : words.drop}</Typography>
          <Button variant="outlined" onClick={() => input.current?.click()}>
            {words.choose}
          </Button>
          <Typography variant="body2" color="textSecondary">
            {hint}
          </Typography>
        </Box>
      )}
      {wrong && (
        <Typography role="alert" variant="body2" color="error" sx={{ mt: 1.5, overflowWrap: "anywhere" }}>
          {wrong}
        </Typography>
      )}
    </Box>
  );
}
