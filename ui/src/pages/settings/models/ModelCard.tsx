import { Alert, Box, Button, Card, Switch, Typography } from "@mui/material";
import { ArrowRight } from "lucide-react";
import { useSetModelStatus } from "../../../api/models";
import type { ModelStats } from "../../../api/types";
import { problemText } from "../../../components/problemText";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { KeyFigures } from "./KeyFigures";
import type { ModelGroup } from "./modelGroups";
import { ModelPicture } from "./ModelPicture";
import { ModelState } from "./ModelState";

interface ModelCardProps {
  group: ModelGroup;
  /** of each of its versions that made something */
  stats: ModelStats[];
  mayChange: boolean;
  onOpen: (uuid: string) => void;
}

/** A model: whether it serves, how good it is, and the switch. */
export function ModelCard({ group, stats, mayChange, onOpen }: ModelCardProps) {
  const text = useText();
  const words = text.settings.model;
  const say = useNotice();
  const { mutateAsync, isPending } = useSetModelStatus();
  const { shown, enabled } = group;
  const on = enabled.length > 0;

  const toggle = async () => {
    const changes = on
      ? enabled.map((model) => ({ model, status: "disabled" as const }))
      : [{ model: shown, status: "enabled" as const }];
    try {
      for (const change of changes) await mutateAsync(change);
      say(on ? words.nowOff(shown.label) : words.nowOn(shown.label));
    } catch (error) {
      say(problemText(error, text).detail, "error");
    }
  };
  return (
    <Card component="li" sx={{ display: "flex", flexDirection: "column", p: { xs: 2, sm: 2.5 }, gap: 2 }}>
      <Box sx={{ display: "flex", gap: 2, alignItems: "flex-start" }}>
        <ModelPicture model={shown} size={76} faded={!on} />
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Typography variant="h4" component="h3" sx={{ overflowWrap: "anywhere" }}>
            {shown.label}
          </Typography>
          <Typography variant="body2" component="p" sx={{ mt: 0.25 }}>
            <ModelState state={shown.state} />
            <Box component="span" sx={{ color: "text.secondary", ml: 0.75 }}>
              {`· ${words.version(shown.version)}${shown.ensemble ? ` · ${words.ensemble}` : ""}`}
            </Box>
          </Typography>
        </Box>
        <Switch
          checked={on}
          disabled={!mayChange || isPending}
          onChange={() => void toggle()}
          slotProps={{ input: { "aria-label": words.toggle(shown.label) } }}
          sx={{ mt: -0.75, mr: -1 }}
        />
      </Box>
      {shown.state === "failed" && (
        <Alert severity="error" variant="outlined" sx={{ overflowWrap: "anywhere" }}>
          {`${shown.reason ?? ""} ${words.retried}`}
        </Alert>
      )}
      <Box sx={{ display: "flex", alignItems: "flex-end", gap: 2, mt: "auto" }}>
        <KeyFigures model={shown} stats={stats} />
        <Button
          size="small"
          endIcon={<ArrowRight size={16} />}
          aria-label={words.detailsOf(shown.label)}
          onClick={() => onOpen(group.uuid)}
          sx={{
            ml: "auto",
            mr: -1,
            flexShrink: 0,
            px: 1.25,
            minWidth: 0,
            "& .MuiButton-endIcon": { ml: { xs: 0, sm: 1 } },
          }}
        >
          <Box component="span" sx={{ display: { xs: "none", sm: "inline" } }}>
            {words.details}
          </Box>
        </Button>
      </Box>
    </Card>
  );
}
