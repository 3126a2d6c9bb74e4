import { Box, Button, Chip, Skeleton, Typography } from "@mui/material";
import { Check as CheckIcon } from "lucide-react";
import type { Model } from "../../api/types";
import { useText } from "../../text";
import type { Check } from "./checks";
import { useChecks } from "./checksContext";

interface DetectorChoiceProps {
  models: Model[] | undefined;
  /** uuids */
  chosen: string[];
  onChoose: (uuids: string[]) => void;
  /** The picture on the table: it may be shown to other detectors. */
  shown: Check | undefined;
}

/** Which detectors vote. */
export function DetectorChoice({ models, chosen, onChoose, shown }: DetectorChoiceProps) {
  const text = useText();
  const { ask } = useChecks();
  const toggle = (uuid: string) => {
    const next = chosen.includes(uuid) ? chosen.filter((other) => other !== uuid) : [...chosen, uuid];
    if (next.length > 0) onChoose(next);
  };
  const answered = shown?.answer?.models.map((model) => model.model_uuid) ?? [];
  const differs = shown?.state === "answered" && [...answered].sort().join() !== [...chosen].sort().join();
  return (
    <Box role="group" aria-labelledby="detectors-heading">
      <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, mb: 1 }}>
        <Typography variant="h4" component="h2" id="detectors-heading">
          {text.detector.detectors}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {models?.length === 1 ? "" : text.detector.detectorsHint}
        </Typography>
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, alignItems: "center" }}>
        {models?.map((model) => {
          const on = chosen.includes(model.uuid);
          return (
            <Chip
              key={model.uuid}
              label={model.label}
              aria-pressed={on}
              color={on ? "primary" : "default"}
              variant={on ? "filled" : "outlined"}
              {...(on && { icon: <CheckIcon size={16} /> })}
              title={on && chosen.length === 1 ? text.detector.oneNeeded : model.description}
              onClick={() => toggle(model.uuid)}
            />
          );
        }) ?? <Skeleton variant="rounded" width={150} height={32} sx={{ borderRadius: 9 }} />}
        {shown && differs && (
          <Button size="small" onClick={() => ask(shown, chosen)}>
            {text.detector.askAgain}
          </Button>
        )}
      </Box>
    </Box>
  );
}
