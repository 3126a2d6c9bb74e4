import { Box, Button, Link, Typography } from "@mui/material";
import { ImageUp, Link2 } from "lucide-react";
import { Suspense, useRef } from "react";
import { Link as RouterLink } from "react-router";
import { soon } from "../../components/soon";
import { useText } from "../../text";
import { CameraButton } from "./CameraButton";
import type { IncomingPictures } from "./useIncomingPictures";
import type { WebPicture } from "./useWebPicture";

const WebPictureForm = soon(async () => (await import("./WebPictureForm")).WebPictureForm);

interface DropZoneProps {
  incoming: IncomingPictures;
  web: WebPicture;
  /** A strip below a picture, where there is one already. */
  small: boolean;
}

/** Where pictures are dropped, chosen, taken, or named by their web address. The whole page takes them; this shows it. */
export function DropZone({ incoming, web, small }: DropZoneProps) {
  const text = useText();
  const input = useRef<HTMLInputElement>(null);
  const { dragging, take } = incoming;
  return (
    <Box
      sx={{
        display: "flex",
        flexDirection: small ? "row" : "column",
        alignItems: "center",
        justifyContent: "center",
        flexWrap: "wrap",
        textAlign: "center",
        gap: small ? 2 : 1.5,
        px: 3,
        py: small ? 2 : { xs: 5, md: 9 },
        minHeight: small ? 0 : { md: 420 },
        borderRadius: 5,
        border: "2px dashed",
        borderColor: dragging ? "primary.main" : "divider",
        bgcolor: dragging ? "primary.light" : "background.paper",
        transition: "background-color .15s, border-color .15s",
      }}
    >
      {!small && (
        <>
          <Box sx={{ color: "primary.main" }}>
            <ImageUp size={44} strokeWidth={1.5} aria-hidden />
          </Box>
          <Typography variant="h3" component="p">
            {dragging ? text.detector.dropNow : text.detector.drop}
          </Typography>
          <Typography color="textSecondary" sx={{ maxWidth: "34ch" }}>
            {text.detector.or}
          </Typography>
        </>
      )}
      <Button
        variant={small ? "outlined" : "contained"}
        size={small ? "medium" : "large"}
        startIcon={small && <ImageUp size={18} aria-hidden />}
        onClick={() => input.current?.click()}
        sx={{ mt: small ? 0 : 1 }}
      >
        {dragging && small ? text.detector.dropNow : small ? text.detector.more : text.detector.choose}
      </Button>
      <Box sx={{ display: "flex", flexWrap: "wrap", justifyContent: "center", gap: 1 }}>
        {web.possible && (
          <Button
            startIcon={<Link2 size={18} aria-hidden />}
            aria-expanded={web.open}
            disabled={web.fetching}
            onClick={() => web.setOpen(!web.open)}
            sx={{ px: 1.5 }}
          >
            {text.detector.web}
          </Button>
        )}
        <CameraButton take={take} />
      </Box>
      <Suspense>{web.open && <WebPictureForm web={web} />}</Suspense>
      {!small && (
        <Typography variant="body2" color="textSecondary" sx={{ mt: 1, maxWidth: "44ch" }}>
          {text.detector.kept}{" "}
          <Link component={RouterLink} to="/settings?part=pictures" color="inherit">
            {text.detector.manage}
          </Link>
        </Typography>
      )}
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept="image/jpeg,image/png,.jpg,.jpeg,.png"
        aria-label={text.detector.file}
        onChange={(event) => {
          take(event.target.files ?? []);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
    </Box>
  );
}
