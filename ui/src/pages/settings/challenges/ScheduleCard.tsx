import { Box, Button, Card, FormControlLabel, MenuItem, Skeleton, Switch, TextField, Typography } from "@mui/material";
import { useState } from "react";
import { useChallengeSettings, useChangeChallengeSettings } from "../../../api/challenges";
import { may, useSession } from "../../../api/session";
import type { ChallengeSettings, ChallengeSettingsChange } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";

/** When challenges start by themselves, and what they have to come up to. */
export function ScheduleCard() {
  const { data: settings, error, refetch } = useChallengeSettings();
  if (error && !settings) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!settings) return <Skeleton variant="rounded" height={300} sx={{ borderRadius: 5 }} />;
  return <Schedule settings={settings} />;
}

function Schedule({ settings }: { settings: ChallengeSettings }) {
  const text = useText();
  const words = text.settings.challenge;
  const say = useNotice();
  const { data: session } = useSession();
  const { mutate, isPending, error } = useChangeChallengeSettings();
  const [change, setChange] = useState<ChallengeSettingsChange>({});
  const value = { ...settings, ...dropNulls(change) };
  const mayChange = may(session, "settings");
  const days = [...new Set([...Object.keys(words.everyValue).map(Number), value.every_days])].toSorted((a, b) => a - b);
  const changed = Object.keys(change).length > 0;
  const set = (part: ChallengeSettingsChange) => setChange((before) => ({ ...before, ...part }));
  return (
    <Card
      component="form"
      aria-labelledby="schedule-heading"
      sx={{ p: 2.5, display: "grid", gap: 2 }}
      onSubmit={(event) => {
        event.preventDefault();
        mutate(change, {
          onSuccess: () => {
            setChange({});
            say(text.settings.saved);
          },
        });
      }}
    >
      <Typography variant="h4" component="h3" id="schedule-heading">
        {words.schedule}
      </Typography>
      <TextField
        select
        size="small"
        label={words.every}
        value={value.every_days}
        disabled={!mayChange}
        onChange={(event) => set({ every_days: Number(event.target.value) })}
      >
        {days.map((each) => (
          <MenuItem key={each} value={each}>
            {words.everyValue[each] ?? words.everyDays(each)}
          </MenuItem>
        ))}
      </TextField>
      <Box>
        <FormControlLabel
          control={
            <Switch
              checked={value.switch_by_itself}
              disabled={!mayChange}
              onChange={(_event, checked) => set({ switch_by_itself: checked })}
            />
          }
          label={words.itself}
        />
        <Typography variant="body2" color="textSecondary">
          {words.itselfHint}
        </Typography>
      </Box>
      {(
        [
          ["min_labels", words.minLabels, 0],
          ["min_judged", words.minJudged, 1],
        ] as const
      ).map(([name, label, least]) => (
        <TextField
          key={name}
          size="small"
          type="number"
          label={label}
          value={value[name]}
          disabled={!mayChange}
          onChange={(event) => set({ [name]: Math.max(least, Math.floor(Number(event.target.value))) })}
          slotProps={{ htmlInput: { min: least, inputMode: "numeric" } }}
        />
      ))}
      {error && <ProblemAlert error={error} />}
      {changed && (
        <Button type="submit" variant="contained" loading={isPending}>
          {words.save}
        </Button>
      )}
    </Card>
  );
}

function dropNulls(change: ChallengeSettingsChange): Partial<ChallengeSettings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null));
}
