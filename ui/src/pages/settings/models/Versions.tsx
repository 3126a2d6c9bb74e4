import { Box, Button, IconButton, Tooltip, Typography } from "@mui/material";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useSetModelStatus } from "../../../api/models";
import type { Model } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { percent } from "../../../numbers";
import { detectorFigures } from "./figures";
import type { ModelGroup } from "./modelGroups";
import { ModelState } from "./ModelState";
import { RemoveDialog } from "./RemoveDialog";

/** Every version of a model; switching to one puts the others out of service in the same moment. */
export function Versions({ group, mayChange }: { group: ModelGroup; mayChange: boolean }) {
  const text = useText();
  const words = text.settings.model;
  const say = useNotice();
  const { mutate, isPending, variables, error } = useSetModelStatus();
  const [removing, setRemoving] = useState<Model | null>(null);
  const several = group.versions.length > 1;
  const change = (model: Model) => {
    const off = model.status === "enabled";
    mutate(
      { model, status: off ? "disabled" : "enabled", replace: !off },
      { onSuccess: () => say(off ? words.nowOff(model.label) : words.switched(model.label, model.version)) },
    );
  };
  return (
    <>
      {several && (
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
          {words.versionsHint}
        </Typography>
      )}
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
        {group.versions.map((model) => {
          const [first] = detectorFigures(model);
          const on = model.status === "enabled";
          return (
            <Box
              component="li"
              key={model.version}
              sx={{
                display: "flex",
                flexWrap: "wrap",
                alignItems: "center",
                columnGap: 2,
                py: 1,
                borderTop: 1,
                borderColor: "divider",
              }}
            >
              <Box sx={{ flex: "1 1 170px", minWidth: 0, typography: "body2" }}>
                <Box component="span" sx={{ fontWeight: 650, mr: 1.5 }}>
                  {words.version(model.version)}
                </Box>
                <ModelState state={model.state} />
                {first && (
                  <Box component="span" sx={{ color: "text.secondary" }}>
                    {` · ${words.splits[first[0]] ?? first[0]} ${percent(first[1].accuracy, text.language)}`}
                  </Box>
                )}
                {model.state === "failed" && (
                  <Typography variant="body2" color="error" sx={{ overflowWrap: "anywhere" }}>
                    {model.reason}
                  </Typography>
                )}
              </Box>
              {mayChange && (
                <Box sx={{ display: "flex", alignItems: "center" }}>
                  <Button
                    size="small"
                    loading={isPending && variables.model.version === model.version}
                    aria-label={`${actionFor(group, model, words)}: ${words.version(model.version)}`}
                    onClick={() => change(model)}
                  >
                    {actionFor(group, model, words)}
                  </Button>
                  {several && (
                    <Tooltip title={words.removeVersion(model.version)}>
                      <span>
                        <IconButton
                          size="small"
                          disabled={on}
                          aria-label={words.removeVersion(model.version)}
                          onClick={() => setRemoving(model)}
                        >
                          <Trash2 size={17} />
                        </IconButton>
                      </span>
                    </Tooltip>
                  )}
                </Box>
              )}
            </Box>
          );
        })}
      </Box>
      {error && (
        <Box sx={{ mt: 1 }}>
          <ProblemAlert error={error} />
        </Box>
      )}
      {removing && <RemoveDialog group={group} version={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

function actionFor(group: ModelGroup, model: Model, words: ReturnType<typeof useText>["settings"]["model"]): string {
  if (model.status === "enabled") return words.switchOff;
  return group.enabled.length > 0 ? words.switchTo : words.switchOn;
}
