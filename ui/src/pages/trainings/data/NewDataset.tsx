import { Box } from "@mui/material";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useNavigate } from "react-router";
import { keys } from "../../../api/queries";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";
import { DatasetForm } from "./DatasetForm";
import { UploadZone } from "./UploadZone";
import { UploadList } from "./UploadList";
import { draftStore } from "./upload/draftStore";

/** On the left what is uploaded, on the right what it is. Both may be done in any order. */
export function NewDataset() {
  const text = useTrainingsText();
  const say = useNotice();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const draft = useSyncExternalStore(draftStore.subscribe, draftStore.get);
  const { made, items } = draft;

  // One that was made while one looked at other pages is among the others by now; this is about the next one.
  const before = useRef(made);
  useEffect(() => {
    if (!made) return;
    draftStore.clear();
    if (made === before.current) return;
    void queries.invalidateQueries({ queryKey: keys.datasets });
    say(text.trainings.upload.made(made.label), "info");
    void navigate(`/trainings/data/${made.uuid}`, { replace: true });
  }, [made, queries, say, text, navigate]);

  const unsent = items.some(({ state }) => state !== "done" && state !== "failed");
  useEffect(() => {
    if (!unsent) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsent]);

  return (
    <Box
      sx={{
        display: "grid",
        alignItems: "start",
        gap: { xs: 3, md: 5 },
        gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 6fr) minmax(0, 5fr)" },
      }}
    >
      <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
        <UploadZone small={items.length > 0} />
        <UploadList draft={draft} />
      </Box>
      <DatasetForm draft={draft} />
    </Box>
  );
}
