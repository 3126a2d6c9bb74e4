import { Box, Card, CardActionArea, Typography } from "@mui/material";
import { Link } from "react-router";
import { useAllModels } from "../../../api/models";
import type { Training } from "../../../api/types";
import { moment } from "../../../numbers";
import { useTrainingsText } from "../../../text/trainings";
import { duration, figure, percent } from "../format";
import { kindOf, splitsOf } from "../kind";
import { StatusChip } from "../StatusChip";

/** A finished training: what came of it, in a line. */
export function EndedRow({ training }: { training: Training }) {
  const text = useTrainingsText();
  const words = text.trainings.list;
  const { data: models } = useAllModels(training.type);
  const serves = models?.some(
    ({ uuid, version, state }) =>
      uuid === training.model_uuid && version === training.model_version && state === "ready",
  );
  const [split] = splitsOf(training.metrics);
  const metrics = split === undefined ? undefined : training.metrics[split];
  const took =
    training.begin_at && training.end_at ? (Date.parse(training.end_at) - Date.parse(training.begin_at)) / 1000 : null;
  return (
    <Card component="li">
      <CardActionArea
        component={Link}
        to={`/trainings/${training.uuid}`}
        sx={{
          p: { xs: 2, sm: 2.5 },
          display: "grid",
          alignItems: "center",
          columnGap: 2.5,
          rowGap: 1,
          gridTemplateColumns: { xs: "minmax(0, 1fr) auto", sm: "minmax(0, 1fr) 130px 124px" },
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Typography variant="h4" component="h3" sx={{ overflowWrap: "anywhere" }}>
            {training.label}
          </Typography>
          <Typography variant="body2" color="textSecondary">
            {[
              text.trainings.kinds[kindOf(training)],
              training.architecture,
              training.model_version > 1 ? words.version(training.model_version) : null,
              training.end_at ? moment(training.end_at, text.language) : null,
              took === null ? null : words.took(duration(took, text)),
            ]
              .filter(Boolean)
              .join(" · ")}
          </Typography>
          {training.status === "failed" && (
            <Typography variant="body2" sx={{ mt: 0.5, color: "secondary.main", overflowWrap: "anywhere" }}>
              {training.reason}
            </Typography>
          )}
        </Box>
        <Box sx={{ textAlign: { xs: "end", sm: "start" } }}>
          {metrics && split && (
            <>
              <Box sx={{ typography: "h3", fontVariantNumeric: "tabular-nums", lineHeight: 1.1 }}>
                {metrics.kind === "detector"
                  ? percent(metrics.accuracy, text.language)
                  : figure(metrics.kid, text.language)}
              </Box>
              <Typography variant="body2" color="textSecondary">
                {metrics.kind === "detector"
                  ? words.accuracyOn((text.trainings.result.splits[split] ?? split).toLowerCase())
                  : text.trainings.result.kid}
              </Typography>
            </>
          )}
        </Box>
        <Box sx={{ gridColumn: { xs: "1 / -1", sm: "auto" }, justifySelf: { sm: "end" } }}>
          {serves ? (
            <Box
              component="span"
              sx={{ display: "inline-flex", alignItems: "center", gap: 1, typography: "body2", fontWeight: 600 }}
            >
              <Box component="span" sx={{ width: 9, height: 9, borderRadius: 9, bgcolor: "face.anime" }} />
              {words.inService}
            </Box>
          ) : (
            <StatusChip training={training} />
          )}
        </Box>
      </CardActionArea>
    </Card>
  );
}
