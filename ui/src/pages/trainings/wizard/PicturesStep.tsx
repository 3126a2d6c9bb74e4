import { Alert, Box, Button, Checkbox, FormControlLabel, Switch, Typography } from "@mui/material";
import { Link } from "react-router";
import { isUsable } from "../../../api/datasets";
import { FACE_CLASSES } from "../../../api/types";
import { useTrainingsText } from "../../../text/trainings";
import { ClassBalance } from "../charts/ClassBalance";
import { picturesFault } from "./validate";
import type { StepProps } from "./Wizard";

/** From so many on, figures begin to mean something. */
const RATHER = { detector: 1_000, ensemble: 1_000, generator: 2_000 };

/** Which data sets, and what comes of them together. */
export function PicturesStep({ form, onChange, faults, datasets, classes }: StepProps) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  const own = datasets.filter(
    (each) => each.origin === "uploaded" && (isUsable(each) || form.datasets.includes(each.uuid)),
  );
  const live = datasets.filter((each) => each.origin !== "uploaded" && each.status === "enabled");
  const sum =
    form.kind === "generator" ? (classes[form.faceClass] ?? 0) : Object.values(classes).reduce((a, b) => a + b, 0);
  const missing = FACE_CLASSES.filter((each) => !classes[each]);
  const fault = faults.datasets ?? (sum > 0 ? picturesFault(form, classes, text) : null);
  return (
    <Box sx={{ display: "grid", gap: 3 }}>
      <Box component="fieldset" sx={{ border: 0, m: 0, p: 0, minWidth: 0 }}>
        <Typography component="legend" variant="h4" sx={{ p: 0, mb: 1.25 }}>
          {words.picturesTitle}
        </Typography>
        {own.length === 0 && (
          <Alert
            severity="info"
            action={
              <Button
                component={Link}
                to="/trainings/data/new"
                color="inherit"
                size="small"
                sx={{ whiteSpace: "nowrap" }}
              >
                {text.trainings.newData}
              </Button>
            }
          >
            {words.noData}
          </Alert>
        )}
        <Box sx={{ display: "grid", gap: 1 }}>
          {own.map((dataset) => {
            const on = form.datasets.includes(dataset.uuid);
            return (
              <Box
                component="label"
                key={dataset.uuid}
                sx={{
                  display: "grid",
                  gridTemplateColumns: { xs: "auto minmax(0, 1fr)", sm: "auto minmax(0, 1fr) minmax(0, 1fr)" },
                  alignItems: "center",
                  columnGap: 0.5,
                  p: 1,
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
                    onChange({
                      datasets: on
                        ? form.datasets.filter((each) => each !== dataset.uuid)
                        : [...form.datasets, dataset.uuid],
                    })
                  }
                />
                <Box sx={{ minWidth: 0 }}>
                  <Box sx={{ fontWeight: 600, overflowWrap: "anywhere", lineHeight: 1.35 }}>{dataset.label}</Box>
                  <Typography variant="body2" color="textSecondary">
                    {text.trainings.pictures(dataset.images)}
                  </Typography>
                </Box>
                <Box sx={{ gridColumn: { xs: 2, sm: "auto" }, mt: { xs: 0.75, sm: 0 } }}>
                  <ClassBalance classes={dataset.classes} small />
                </Box>
              </Box>
            );
          })}
        </Box>
      </Box>
      <Box role="group" aria-labelledby="include-heading">
        <Typography variant="h4" component="h2" id="include-heading" sx={{ mb: 0.5 }}>
          {words.include}
        </Typography>
        {/* A generator learns to make real faces: from faces that were made here there is nothing to learn for it. */}
        {(form.kind === "generator" ? (["labelled"] as const) : (["labelled", "generated"] as const)).map((origin) => {
          const dataset = live.find((each) => each.origin === origin);
          const key = origin === "labelled" ? "includeUploaded" : "includeGenerated";
          const images = dataset?.images ?? 0;
          return (
            <FormControlLabel
              key={origin}
              control={
                <Switch
                  checked={form[key]}
                  disabled={images === 0 && !form[key]}
                  onChange={(_event, on) => onChange({ [key]: on })}
                />
              }
              label={
                <>
                  {origin === "labelled" ? words.includeUploaded : words.includeGenerated}
                  <Typography variant="body2" color="textSecondary">
                    {images === 0 ? words.includeNone : text.trainings.pictures(images)}
                  </Typography>
                </>
              }
              slotProps={{ typography: { component: "div" } }}
              sx={{
                display: "flex",
                alignItems: "center",
                ml: -0.5,
                my: 0.5,
                "& .MuiFormControlLabel-label": { lineHeight: 1.35 },
              }}
            />
          );
        })}
      </Box>
      {(sum > 0 || fault) && (
        <Box aria-live="polite" sx={{ pt: 3, borderTop: 1, borderColor: "divider", display: "grid", gap: 1.5 }}>
          <Typography variant="h3" component="p">
            {form.kind === "generator" ? words.sumOf(sum, text.face[form.faceClass].short) : words.sum(sum)}
          </Typography>
          {sum > 0 && <ClassBalance classes={classes} />}
          {fault && <Alert severity="error">{fault}</Alert>}
          {!fault && form.kind !== "generator" && missing.length > 0 && (
            <Alert severity="warning">
              {words.missingClass(missing.map((each) => text.face[each].short).join(", "))}
            </Alert>
          )}
          {!fault && sum < RATHER[form.kind] && <Alert severity="info">{words.rather(RATHER[form.kind])}</Alert>}
        </Box>
      )}
    </Box>
  );
}
