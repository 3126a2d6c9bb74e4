import {
  Alert,
  Box,
  Button,
  CircularProgress,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  Tooltip,
  Typography,
  useMediaQuery,
} from "@mui/material";
import { Camera, CameraOff, SwitchCamera } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useText } from "../../text";
import { pictureOf } from "./camera";
import { useCamera } from "./useCamera";

interface CameraDialogProps {
  onPicture: (file: File) => void;
  onClose: () => void;
}

/** What the camera sees, and a button that takes it. The camera is off again once this is gone. */
export function CameraDialog({ onPicture, onClose }: CameraDialogProps) {
  const text = useText();
  const { look, again, change } = useCamera();
  const video = useRef<HTMLVideoElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // The first frame comes later than the stream.
  const [seen, setSeen] = useState<MediaStream | null>(null);
  const [broken, setBroken] = useState(false);
  const narrow = useMediaQuery((theme) => theme.breakpoints.down("sm"), { noSsr: true });
  const live = look.state === "live" ? look : null;
  const ready = live !== null && seen === live.stream;
  const problem = look.state === "failed" ? look.problem : broken ? "other" : null;

  useEffect(() => {
    if (ready) button.current?.focus();
  }, [ready]);

  const take = async () => {
    if (!video.current) return;
    try {
      const time = new Date().toLocaleTimeString(undefined, { hour12: false }).replaceAll(":", ".");
      onPicture(await pictureOf(video.current, text.detector.cameraFile(time)));
      onClose();
    } catch {
      setBroken(true);
    }
  };

  return (
    <Dialog
      open
      onClose={onClose}
      maxWidth="sm"
      fullWidth
      fullScreen={narrow}
      slotProps={{ paper: { sx: narrow ? { borderRadius: 0 } : {} } }}
      aria-labelledby="camera-dialog-title"
    >
      <DialogTitle id="camera-dialog-title" sx={{ typography: "h3" }}>
        {text.detector.cameraTitle}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, alignContent: "center" }}>
        <Box sx={frame}>
          {live && (
            <video
              key={live.stream.id}
              ref={(element) => {
                video.current = element;
                if (element && element.srcObject !== live.stream) element.srcObject = live.stream;
              }}
              autoPlay
              muted
              playsInline
              aria-label={text.detector.cameraLive}
              onLoadedData={() => setSeen(live.stream)}
              // One's own face is known from mirrors; the picture is as others see it.
              style={{ transform: live.mirrored ? "scaleX(-1)" : "none" }}
            />
          )}
          {change && (
            <Tooltip title={text.detector.cameraOther}>
              <IconButton aria-label={text.detector.cameraOther} onClick={change} sx={overPicture}>
                <SwitchCamera size={20} aria-hidden />
              </IconButton>
            </Tooltip>
          )}
          {look.state === "failed" && <CameraOff size={36} aria-hidden />}
          {look.state === "starting" && (
            <Box role="status" sx={{ display: "grid", justifyItems: "center", gap: 2, p: 3, textAlign: "center" }}>
              <CircularProgress color="inherit" size={28} />
              <Typography variant="body2">{text.detector.cameraStarting}</Typography>
            </Box>
          )}
        </Box>
        {problem && (
          <Alert
            severity="error"
            action={
              <Button
                color="inherit"
                size="small"
                onClick={() => {
                  setBroken(false);
                  again();
                }}
              >
                {text.detector.cameraAgain}
              </Button>
            }
          >
            {text.detector.cameraProblems[problem]}
          </Alert>
        )}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 3 }}>
        <Button onClick={onClose}>{text.detector.cameraCancel}</Button>
        <Button
          ref={button}
          variant="contained"
          startIcon={<Camera size={18} aria-hidden />}
          disabled={!ready}
          onClick={() => void take()}
        >
          {text.detector.cameraTake}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

const overPicture = {
  position: "absolute",
  top: 12,
  right: 12,
  zIndex: 1,
  color: "#fff",
  bgcolor: "rgba(12, 16, 14, .6)",
  "&:hover": { bgcolor: "rgba(12, 16, 14, .85)" },
} as const;

/** As large before the camera is there as after, so that nothing moves. */
const frame = {
  display: "grid",
  placeItems: "center",
  overflow: "hidden",
  position: "relative",
  aspectRatio: { xs: "3 / 4", sm: "4 / 3" },
  maxHeight: "62vh",
  width: "100%",
  borderRadius: 4,
  bgcolor: "#0c100e",
  color: "#a9b0a9",
  "& video": { width: "100%", height: "100%", objectFit: "contain", display: "block", minHeight: 0 },
} as const;
