import { Alert, Box, Checkbox, FormHelperText, MenuItem, TextField, Typography } from "@mui/material";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useTrainingsText } from "../../../text/trainings";
import { ChoiceCards } from "../ChoiceCards";
import { percent } from "../format";
import { splitsOf } from "../kind";
import { ofArchitecture, ofKind } from "./form";
import type { StepProps } from "./Wizard";

/** Detector, generator or ensemble, and which network. */
export function WhatStep({ form, onChange, faults, options, models }: StepProps) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  const kinds = (["detector", "generator", "ensemble"] as const).map((value) => ({ value, ...words.what[value] }));
  return (
    <Box sx={{ display: "grid", gap: 4 }}>
      <ChoiceCards
        legend={words.whatTitle}
        value={form.kind}
        onChange={(kind) => onChange(ofKind(form, kind))}
        options={kinds}
        least={220}
      />
      {form.kind === "ensemble" ? (
        <>
          <ChoiceCards
            legend={words.methodTitle}
            value={form.method}
            onChange={(method) => onChange({ method })}
            options={(["stacking", "voting"] as const).map((value) => ({ value, ...words.methods[value] }))}
            least={260}
          />
          <Bases form={form} onChange={onChange} fault={faults.base_models ?? null} models={models} />
        </>
      ) : (
        <>
          <Architecture form={form} onChange={onChange} fault={faults.architecture ?? null} options={options} />
          {form.kind === "generator" && (
            <ChoiceCards
              legend={words.faceTitle}
              value={form.faceClass}
              onChange={(faceClass) => onChange({ faceClass })}
              problem={faults.face_class ?? null}
              options={(["human", "anime"] as const).map((value) => ({
                value,
                title: text.face[value].name,
                icon: <FaceClassDot faceClass={value} />,
              }))}
              least={260}
            />
          )}
        </>
      )}
    </Box>
  );
}

function Architecture({
  form,
  onChange,
  fault,
  options,
}: Pick<StepProps, "form" | "onChange" | "options"> & { fault: string | null }) {
  const words = useTrainingsText().trainings.wizard;
  const all = (form.kind === "generator" ? options.generators : options.detectors).map(({ name }) => name);
  const known = Object.keys(words.architectures).filter((name) => all.includes(name));
  return (
    <Box>
      <ChoiceCards
        legend={words.architectureTitle}
        value={form.architecture}
        onChange={(architecture) => onChange(ofArchitecture(form, architecture))}
        problem={fault}
        options={known.map((name) => ({
          value: name,
          title: `${words.architectures[name]?.title ?? ""} · ${name}`,
          text: words.architectures[name]?.text ?? "",
        }))}
        least={220}
      />
      {all.length > known.length && (
        <TextField
          select
          size="small"
          label={words.all}
          value={form.architecture}
          onChange={(event) => onChange(ofArchitecture(form, event.target.value))}
          sx={{ mt: 2.5, minWidth: 240, maxWidth: "100%", alignSelf: "start" }}
        >
          {all.map((name) => (
            <MenuItem key={name} value={name}>
              {name}
            </MenuItem>
          ))}
        </TextField>
      )}
    </Box>
  );
}

function Bases({
  form,
  onChange,
  fault,
  models,
}: Pick<StepProps, "form" | "onChange" | "models"> & { fault: string | null }) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  // Of each model its newest version, as the API takes it.
  const newest = new Map(
    models.filter(({ type, ensemble }) => type === "detector" && !ensemble).map((model) => [model.uuid, model]),
  );
  const candidates = [...newest.values()];
  if (candidates.length < 2) return <Alert severity="info">{words.noBases}</Alert>;
  return (
    <Box component="fieldset" sx={{ border: 0, m: 0, p: 0, minWidth: 0 }}>
      <Typography component="legend" variant="h4" sx={{ p: 0 }}>
        {words.basesTitle}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1.25 }}>
        {words.basesHint}
      </Typography>
      <Box sx={{ display: "grid", gap: 1, gridTemplateColumns: "repeat(auto-fill, minmax(min(100%, 260px), 1fr))" }}>
        {candidates.map(({ uuid, label, architecture, metrics }) => {
          const on = form.bases.includes(uuid);
          const [split] = splitsOf(metrics);
          const judged = split === undefined ? undefined : metrics[split];
          return (
            <Box
              component="label"
              key={uuid}
              sx={{
                display: "flex",
                alignItems: "center",
                p: 0.75,
                pr: 2,
                borderRadius: 3.5,
                border: 1.5,
                borderColor: on ? "primary.main" : "divider",
                bgcolor: on ? "primary.light" : "transparent",
                cursor: "pointer",
              }}
            >
              <Checkbox
                checked={on}
                onChange={() =>
                  onChange({ bases: on ? form.bases.filter((each) => each !== uuid) : [...form.bases, uuid] })
                }
              />
              <Box sx={{ flex: 1, minWidth: 0 }}>
                <Box sx={{ fontWeight: 600, lineHeight: 1.35, overflowWrap: "anywhere" }}>{label}</Box>
                <Typography variant="body2" color="textSecondary">
                  {architecture}
                </Typography>
              </Box>
              {judged?.kind === "detector" && (
                <Box sx={{ fontVariantNumeric: "tabular-nums", fontWeight: 600 }}>
                  {percent(judged.accuracy, text.language)}
                </Box>
              )}
            </Box>
          );
        })}
      </Box>
      {fault && <FormHelperText error>{fault}</FormHelperText>}
    </Box>
  );
}
