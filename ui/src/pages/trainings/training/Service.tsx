import { Alert, AlertTitle, Box, Button, Card, CircularProgress, Typography } from "@mui/material";
import { CircleCheck, Power, ScanFace } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useAllModels, useSetModelStatus } from "../../../api/models";
import type { Model, TrainingDetail } from "../../../api/types";
import { problemText } from "../../../components/problemText";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";

/** Servers learn of a model that another process has added within a second or two. */
const MOST_LATE = 10_000;

/** The finished model: whether it serves, the switch, and how far servers are with it. */
export function Service({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const words = text.trainings.service;
  const say = useNotice();
  const [since] = useState(() => Date.now());
  const find = (all?: Model[]) =>
    all?.find(({ uuid, version }) => uuid === training.model_uuid && version === training.model_version);
  const { data: models, dataUpdatedAt } = useAllModels(
    training.type,
    (all) => Boolean(find(all)) || Date.now() - since >= MOST_LATE,
  );
  const { mutate, isPending } = useSetModelStatus();
  const model = find(models);
  if (!models) return null;
  if (!model) return dataUpdatedAt - since < MOST_LATE ? null : <Alert severity="info">{words.gone}</Alert>;
  const replaced = models.find(
    ({ uuid, version, status }) => uuid === model.uuid && version !== model.version && status === "enabled",
  );
  const turn = (enable: boolean) =>
    mutate(
      { model, status: enable ? "enabled" : "disabled", replace: enable },
      {
        onSuccess: () => say(enable ? words.switchedOn(model.label) : words.switchedOff(model.label), "info"),
        onError: (problem) => say(problemText(problem, text).detail, "error"),
      },
    );
  const detector = training.type === "detector";
  const said = {
    disabled: {
      title: words.title,
      detail: [words.off, replaced && words.replaces(replaced.version)].filter(Boolean).join(" "),
    },
    loading: { title: words.loading, detail: words.loadingHint },
    ready: { title: words.ready, detail: detector ? words.readyDetector : words.readyGenerator },
    failed: { title: words.failed, detail: "" },
  }[model.state];
  return (
    <Card
      component="section"
      aria-label={words.title}
      sx={{
        p: { xs: 2, sm: 3 },
        borderColor: model.state === "disabled" ? "primary.main" : "divider",
        bgcolor: model.state === "ready" ? "primary.light" : "background.paper",
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 2,
      }}
    >
      <Box sx={{ color: "primary.main", display: "grid", placeItems: "center", width: 44, height: 44, flexShrink: 0 }}>
        {model.state === "loading" ? (
          <CircularProgress size={30} aria-label={words.loading} />
        ) : model.state === "ready" ? (
          <CircleCheck size={34} aria-hidden />
        ) : (
          <Power size={34} aria-hidden />
        )}
      </Box>
      <Box sx={{ flex: "1 1 240px" }} role="status">
        <Typography variant="h3" component="h2">
          {said.title}
        </Typography>
        <Typography color={model.state === "ready" ? "textPrimary" : "textSecondary"}>{said.detail}</Typography>
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, width: { xs: "100%", sm: "auto" } }}>
        {model.state === "ready" && (
          <Button
            component={Link}
            to={detector ? "/detector" : "/generator"}
            variant="contained"
            startIcon={<ScanFace size={18} aria-hidden />}
          >
            {detector ? words.tryDetector : words.tryGenerator}
          </Button>
        )}
        {model.status === "enabled" ? (
          <Button variant="outlined" onClick={() => turn(false)} loading={isPending}>
            {words.disable}
          </Button>
        ) : (
          <Button
            variant="contained"
            size="large"
            onClick={() => turn(true)}
            loading={isPending}
            sx={{ width: { xs: "100%", sm: "auto" } }}
          >
            {words.enable}
          </Button>
        )}
      </Box>
      {model.state === "failed" && (
        <Alert severity="error" sx={{ width: "100%" }}>
          <AlertTitle>{words.failed}</AlertTitle>
          {model.reason}
        </Alert>
      )}
    </Card>
  );
}
