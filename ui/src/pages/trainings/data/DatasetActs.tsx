import { Box, Button, Tooltip } from "@mui/material";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useDatasetStatus, useRemoveDataset } from "../../../api/datasets";
import type { Dataset } from "../../../api/types";
import { ConfirmDialog } from "../../../components/ConfirmDialog";
import { problemText } from "../../../components/problemText";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";
import { datasetLabel } from "./datasetLabel";

/** Switch on or off, remove. */
export function DatasetActs({ dataset }: { dataset: Dataset }) {
  const text = useTrainingsText();
  const words = text.trainings.data;
  const say = useNotice();
  const navigate = useNavigate();
  const status = useDatasetStatus();
  const removal = useRemoveDataset();
  const [asking, setAsking] = useState(false);
  const label = datasetLabel(dataset, text);
  const on = dataset.status === "enabled";
  return (
    <Box sx={{ display: "flex", gap: 1 }}>
      {dataset.state !== "failed" && (
        <Tooltip describeChild title={on ? words.disableHint : words.enableHint}>
          <Button
            variant="outlined"
            loading={status.isPending}
            onClick={() =>
              status.mutate(
                { uuid: dataset.uuid, status: on ? "disabled" : "enabled" },
                {
                  onSuccess: () => say(on ? words.disabledNow(label) : words.enabled(label), "info"),
                  onError: (problem) => say(problemText(problem, text).detail, "error"),
                },
              )
            }
          >
            {on ? words.disable : words.enable}
          </Button>
        </Tooltip>
      )}
      {dataset.origin === "uploaded" && (
        <Button
          variant="outlined"
          color="error"
          onClick={() => {
            removal.reset();
            setAsking(true);
          }}
        >
          {words.remove}
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        title={words.removeTitle(label)}
        detail={words.removeDetail}
        action={words.remove}
        pending={removal.isPending}
        error={removal.error}
        onConfirm={() =>
          removal.mutate(dataset.uuid, {
            onSuccess: () => {
              say(words.removed(label), "info");
              void navigate("/trainings/data");
            },
          })
        }
        onClose={() => setAsking(false)}
      />
    </Box>
  );
}
