import { Box, Button, Typography } from "@mui/material";
import { FolderUp, ImageUp } from "lucide-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";
import { draftStore } from "./upload/draftStore";
import { parcelsOf } from "./upload/parcels";
import { droppedOf, type Picked, pickedOf } from "./upload/picked";

/** Where folders, archives and pictures are dropped, or chosen. The whole page takes a drop. */
export function UploadZone({ small }: { small: boolean }) {
  const text = useTrainingsText();
  const words = text.trainings.upload;
  const say = useNotice();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [dragging, setDragging] = useState(false);
  const [gathering, setGathering] = useState(false);

  const take = (picked: Picked[]) => {
    const sorted = parcelsOf(picked);
    if (sorted.parcels.length === 0) say(words.nothing, "error");
    else draftStore.add(sorted);
  };
  const onDrop = useEffectEvent((drop: DataTransfer) => {
    setGathering(true);
    droppedOf(drop)
      .then(take)
      .catch(() => say(words.nothing, "error"))
      .finally(() => setGathering(false));
  });
  useEffect(() => {
    // dragenter and dragleave come for every element on the way; the page is left when they are even.
    let depth = 0;
    const move = (by: number) => (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      depth = Math.max(0, depth + by);
      setDragging(depth > 0);
    };
    const enter = move(1);
    const leave = move(-1);
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      depth = 0;
      setDragging(false);
      if (event.dataTransfer) onDrop(event.dataTransfer);
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    };
  }, []);

  return (
    <Box
      sx={{
        display: "grid",
        justifyItems: "center",
        textAlign: "center",
        gap: 1.5,
        px: 3,
        py: small ? 2.5 : { xs: 4, md: 8 },
        borderRadius: 5,
        border: "2px dashed",
        borderColor: dragging ? "primary.main" : "divider",
        bgcolor: dragging ? "primary.light" : "background.paper",
        transition: "background-color .15s, border-color .15s",
      }}
    >
      {!small && (
        <Box sx={{ color: "primary.main" }}>
          <FolderUp size={44} strokeWidth={1.5} aria-hidden />
        </Box>
      )}
      <Typography variant={small ? "h4" : "h3"} component="p" role="status">
        {gathering ? (
          words.gathering
        ) : dragging ? (
          words.dropNow
        ) : (
          <>
            {/* On a touch screen nothing is dropped. */}
            <Box component="span" sx={{ "@media (hover: none)": { display: "none" } }}>
              {words.drop}
            </Box>
            <Box component="span" sx={{ display: "none", "@media (hover: none)": { display: "inline" } }}>
              {words.bring}
            </Box>
          </>
        )}
      </Typography>
      {!small && (
        <Typography color="textSecondary" sx={{ maxWidth: "42ch" }}>
          {words.hint}
        </Typography>
      )}
      <Box sx={{ display: "flex", flexWrap: "wrap", justifyContent: "center", gap: 1, mt: small ? 0 : 1 }}>
        <Button
          variant={small ? "outlined" : "contained"}
          size={small ? "medium" : "large"}
          startIcon={<ImageUp size={18} aria-hidden />}
          onClick={() => files.current?.click()}
        >
          {words.chooseFiles}
        </Button>
        <Button
          variant="outlined"
          size={small ? "medium" : "large"}
          startIcon={<FolderUp size={18} aria-hidden />}
          onClick={() => folder.current?.click()}
        >
          {words.chooseFolder}
        </Button>
      </Box>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        accept=".zip,.tar,.gz,.tgz,.jpg,.jpeg,.png,image/jpeg,image/png"
        aria-label={words.files}
        onChange={(event) => {
          take(pickedOf(event.target.files ?? []));
          event.target.value = "";
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        // Not in React's types; every browser of today has it.
        {...{ webkitdirectory: "" }}
        aria-label={words.folder}
        onChange={(event) => {
          take(pickedOf(event.target.files ?? []));
          event.target.value = "";
        }}
      />
    </Box>
  );
}
