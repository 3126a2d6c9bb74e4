import { Button } from "@mui/material";
import { Camera } from "lucide-react";
import { type ComponentType, useRef, useState } from "react";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";
import { cameraKind } from "./camera";
import type { CameraDialog } from "./CameraDialog";

interface CameraButtonProps {
  take: (files: Iterable<File>) => void;
}

/** Opens the camera, in the page where the browser lets it, else the phone's own; not there where there is neither. */
export function CameraButton({ take }: CameraButtonProps) {
  const text = useText();
  const notice = useNotice();
  const [kind] = useState(cameraKind);
  const [dialog, setDialog] = useState<{ Shown: ComponentType<Parameters<typeof CameraDialog>[0]> } | null>(null);
  const [loading, setLoading] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  if (!kind) return null;

  const open = async () => {
    if (kind === "device") {
      input.current?.click();
      return;
    }
    setLoading(true);
    try {
      setDialog({ Shown: (await import("./CameraDialog")).CameraDialog });
    } catch {
      notice(text.detector.cameraNotLoaded, "error");
    } finally {
      setLoading(false);
    }
  };

  return (
    <>
      <Button
        startIcon={<Camera size={18} aria-hidden />}
        loading={loading}
        loadingPosition="start"
        onClick={() => void open()}
        sx={{ px: 1.5 }}
      >
        {text.detector.camera}
      </Button>
      {kind === "device" && (
        <input
          ref={input}
          type="file"
          hidden
          accept="image/*"
          capture="user"
          aria-label={text.detector.camera}
          onChange={(event) => {
            take(event.target.files ?? []);
            event.target.value = "";
          }}
        />
      )}
      {dialog && <dialog.Shown onPicture={(file) => take([file])} onClose={() => setDialog(null)} />}
    </>
  );
}
