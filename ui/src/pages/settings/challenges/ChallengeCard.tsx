import { Box, Card, Chip, LinearProgress, Typography } from "@mui/material";
import { isGoingOn, useChallengeTraining } from "../../../api/challenges";
import type { Challenge } from "../../../api/types";
import { useText } from "../../../text";
import { moment } from "../../../numbers";
import { CompareFigures } from "./CompareFigures";
import { Decisions } from "./Decisions";
import { RuleChecks } from "./RuleChecks";

/** One challenge: what waits for a decision is open, what was decided is a line that opens. */
export function ChallengeCard({ challenge }: { challenge: Challenge }) {
  const text = useText();
  const words = text.settings.challenge;
  const { state, comparison } = challenge;
  const waits = state === "proposed";
  const heading = `challenge-${challenge.uuid}`;
  const about = [
    words.labels(challenge.new_labels),
    ...(challenge.judged ? [words.judgedOn(challenge.judged.images)] : []),
    words.madeBy[challenge.made_by],
    moment(challenge.created_at, text.language),
  ];
  return (
    <Card
      component="article"
      aria-labelledby={heading}
      sx={{ p: { xs: 2, sm: 3 }, ...(waits && { borderColor: "primary.main", borderWidth: 2 }) }}
    >
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: 1.5, rowGap: 0.5 }}>
        <Typography variant="h4" component="h3" id={heading} sx={{ overflowWrap: "anywhere" }}>
          {words.of(challenge.model_name, challenge.champion_version, challenge.challenger_version)}
        </Typography>
        <Chip
          size="small"
          label={words.state[state]}
          color={waits ? "primary" : state === "failed" ? "error" : "default"}
          variant={waits || state === "switched" ? "filled" : "outlined"}
        />
      </Box>
      <Typography variant="body2" color="textSecondary" sx={{ mt: 0.5 }}>
        {about.join(" · ")}
      </Typography>
      {challenge.reason && (
        <Typography variant="body2" sx={{ mt: 1 }} color={state === "failed" ? "error" : undefined}>
          {challenge.reason}
        </Typography>
      )}
      {isGoingOn(challenge) && <Progress challenge={challenge} />}
      {comparison && waits && (
        <Box sx={{ mt: 3 }}>
          <CompareFigures challenge={challenge} comparison={comparison} />
          <RuleChecks checks={challenge.verdict} />
        </Box>
      )}
      <Decisions challenge={challenge} />
      {comparison && !waits && (
        <Box component="details" sx={{ mt: 2 }}>
          <Typography component="summary" variant="body2" sx={{ cursor: "pointer", fontWeight: 600, borderRadius: 2 }}>
            {words.compare}
          </Typography>
          <Box sx={{ mt: 2 }}>
            <CompareFigures challenge={challenge} comparison={comparison} />
            <RuleChecks checks={challenge.verdict} />
          </Box>
        </Box>
      )}
    </Card>
  );
}

function Progress({ challenge }: { challenge: Challenge }) {
  const words = useText().settings.challenge;
  const { data: training } = useChallengeTraining(challenge);
  const progress = training?.progress;
  const known = challenge.state === "training" && progress && progress.steps > 0;
  return (
    <Box sx={{ mt: 2 }}>
      <LinearProgress
        aria-label={words.state[challenge.state]}
        {...(known && { variant: "determinate", value: Math.min(100, (progress.step / progress.steps) * 100) })}
        sx={{ height: 6, borderRadius: 9 }}
      />
      <Typography variant="body2" color="textSecondary" sx={{ mt: 0.75, fontVariantNumeric: "tabular-nums" }}>
        {known
          ? words.progress(progress.step, progress.steps)
          : challenge.state === "queued"
            ? (training?.reason ?? words.waits)
            : words.state[challenge.state]}
      </Typography>
    </Box>
  );
}
