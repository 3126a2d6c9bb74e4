import { Box, Button, Collapse, MenuItem, TextField, Typography } from "@mui/material";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { limits } from "../../../api/limits";
import { useTrainingsText } from "../../../text/trainings";
import { ChoiceCards } from "../ChoiceCards";
import type { Form } from "./form";
import type { Faults } from "./validate";
import type { StepProps } from "./Wizard";

const ADVANCED = [
  "learning_rate",
  "test_fraction",
  "seed",
  "gpus",
  "backend",
  "licence",
] as const satisfies readonly (keyof Faults)[];

/** What it is called and how it learns; what few people need is folded away. */
export function SettingsStep({ form, onChange, faults, models, name }: StepProps) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  const [open, setOpen] = useState(false);
  const needed = ADVANCED.some((field) => faults[field] !== undefined);
  const detector = form.kind === "detector";
  const learns = form.kind !== "ensemble" || form.method === "stacking";
  const versioned = [
    ...new Map(
      models
        .filter(({ type }) => (type === "generator") === (form.kind === "generator"))
        .map((model) => [model.uuid, model]),
    ).values(),
  ];
  const field = (
    key: keyof Form,
    of: keyof Faults,
    label: string,
    hint: string,
    mode: "numeric" | "decimal" = "numeric",
  ) => (
    <TextField
      label={label}
      value={form[key]}
      error={faults[of] !== undefined}
      helperText={faults[of] ?? hint}
      onChange={(event) => onChange({ [key]: event.target.value })}
      slotProps={{ htmlInput: { inputMode: mode } }}
    />
  );
  return (
    <Box sx={{ display: "grid", gap: 4 }}>
      <Box>
        <Typography variant="h4" component="h2">
          {words.settingsTitle}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {words.settingsHint}
        </Typography>
      </Box>
      <Box sx={pair}>
        <TextField
          select
          label={words.becomes}
          value={form.model ?? ""}
          error={faults.model !== undefined}
          helperText={faults.model ?? words.becomesHint}
          onChange={(event) => onChange({ model: event.target.value || null })}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        >
          <MenuItem value="">{words.becomesNew}</MenuItem>
          {versioned.map(({ uuid, label }) => (
            <MenuItem key={uuid} value={uuid}>
              {words.becomesNext(label)}
            </MenuItem>
          ))}
        </TextField>
        {form.model === null && (
          <TextField
            label={words.name}
            value={form.name}
            placeholder={name}
            error={faults.name !== undefined}
            helperText={faults.name ?? words.nameHint}
            onChange={(event) => onChange({ name: event.target.value })}
            slotProps={{
              htmlInput: { maxLength: 63, autoCapitalize: "none", spellCheck: false },
              inputLabel: { shrink: true },
            }}
          />
        )}
        <TextField
          label={words.label}
          value={form.label}
          error={faults.label !== undefined}
          helperText={faults.label ?? words.labelHint}
          onChange={(event) => onChange({ label: event.target.value })}
          slotProps={{ htmlInput: { maxLength: limits.TrainingRequest.label.maxLength } }}
        />
      </Box>
      {form.kind !== "generator" && learns && (
        <ChoiceCards
          legend={words.presetTitle}
          value={form.preset}
          onChange={(preset) => onChange({ preset })}
          problem={faults.preset ?? null}
          options={(["robust", "original"] as const).map((value) => ({ value, ...words.presets[value] }))}
          least={260}
        />
      )}
      {detector && (
        <ChoiceCards
          legend={words.weightsTitle}
          value={form.weights}
          onChange={(weights) => onChange({ weights })}
          problem={faults.weights ?? null}
          options={(["imagenet", "none"] as const).map((value) => ({ value, ...words.weights[value] }))}
          least={260}
        />
      )}
      {learns && (
        <Box sx={pair}>
          {field("epochs", "max_epochs", words.epochs, words.epochsHint)}
          {field("batch", "batch_size", words.batch, words.batchHint)}
          {form.kind !== "ensemble" &&
            field("resolution", "resolution", words.resolution, detector ? words.resolutionHint : words.resolutionGan)}
          {form.kind !== "generator" && field("patience", "patience", words.patience, words.patienceHint)}
        </Box>
      )}
      <Box>
        <Button
          onClick={() => setOpen(!open)}
          aria-expanded={open || needed}
          startIcon={
            <ChevronDown size={18} aria-hidden style={{ transform: open || needed ? "rotate(180deg)" : "none" }} />
          }
          sx={{ ml: -1.5 }}
        >
          {words.advanced}
        </Button>
        <Collapse in={open || needed}>
          <Box sx={{ ...pair, pt: 2 }}>
            {field("learningRate", "learning_rate", words.learningRate, words.learningRateHint, "decimal")}
            {form.kind !== "generator" && field("test", "test_fraction", words.test, words.testHint, "decimal")}
            {field("seed", "seed", words.seed, words.seedHint)}
            {field("gpus", "gpus", words.gpus, words.gpusHint)}
            <TextField
              select
              label={words.backend}
              value={form.backend}
              error={faults.backend !== undefined}
              helperText={faults.backend}
              onChange={(event) => onChange({ backend: event.target.value as Form["backend"] })}
            >
              {(["auto", "tensorflow", "jax"] as const).map((value) => (
                <MenuItem key={value} value={value}>
                  {words.backends[value]}
                </MenuItem>
              ))}
            </TextField>
            <TextField
              label={words.licence}
              value={form.licence}
              error={faults.licence !== undefined}
              helperText={faults.licence}
              onChange={(event) => onChange({ licence: event.target.value })}
            />
          </Box>
        </Collapse>
      </Box>
    </Box>
  );
}

const pair = {
  display: "grid",
  gap: 2.5,
  gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))" },
} as const;
