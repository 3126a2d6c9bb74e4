import { Box, Card, Link as MuiLink, Typography } from "@mui/material";
import { Link } from "react-router";
import type { TrainingDetail } from "../../../api/types";
import { moment } from "../../../numbers";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";

/** What was asked for, and what it learns from. */
export function SettingsTable({ training }: { training: TrainingDetail }) {
  const text = useTrainingsText();
  const words = text.trainings.training;
  const wizard = text.trainings.wizard;
  const { settings } = training;
  const number = (value: number) => value.toLocaleString(text.language);
  const detector = training.type === "detector";
  const network = detector && !training.ensemble;
  const rows: (readonly [string, string] | false | null)[] = [
    [words.architecture, training.architecture],
    detector && [words.preset, wizard.presets[settings.preset].title],
    network && [words.weights, wizard.weights[settings.weights].title],
    [words.epochs, number(settings.max_epochs)],
    [words.batch, number(settings.batch_size)],
    !training.ensemble && [words.resolution, `${settings.resolution ?? (detector ? 224 : 128)} px`],
    [words.learningRate, settings.learning_rate === null ? words.auto : number(settings.learning_rate)],
    detector && [words.patience, words.patienceValue(settings.patience)],
    detector && [words.test, percent(settings.test_fraction, text.language)],
    [words.seed, String(settings.seed)],
    training.progress?.device ? [text.trainings.progress.device, training.progress.device] : null,
    training.begin_at ? [words.begun, moment(training.begin_at, text.language)] : null,
    training.end_at ? [words.ended, moment(training.end_at, text.language)] : null,
  ];
  return (
    <Card component="section" aria-labelledby="settings-heading" sx={{ p: { xs: 2, sm: 3 } }}>
      <Typography variant="h3" component="h2" id="settings-heading" sx={{ mb: 2 }}>
        {words.settings}
      </Typography>
      <Box
        component="dl"
        sx={{
          m: 0,
          display: "grid",
          columnGap: 4,
          rowGap: 1.75,
          gridTemplateColumns: "repeat(auto-fill, minmax(150px, 1fr))",
        }}
      >
        {rows
          .filter((row) => row !== null && row !== false)
          .map(([name, value]) => (
            <Box key={name}>
              <Typography component="dt" variant="body2" color="textSecondary">
                {name}
              </Typography>
              <Box component="dd" sx={{ m: 0, fontWeight: 550, overflowWrap: "anywhere" }}>
                {value}
              </Box>
            </Box>
          ))}
      </Box>
      <Typography variant="h4" component="h3" sx={{ mt: 3, mb: 0.5 }}>
        {words.data}
      </Typography>
      <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
        {training.datasets.map(({ uuid, name, images }) => (
          <li key={uuid}>
            <MuiLink component={Link} to={`/trainings/data/${uuid}`}>
              {name}
            </MuiLink>
            {` · ${text.trainings.pictures(images)}`}
          </li>
        ))}
      </Box>
    </Card>
  );
}
