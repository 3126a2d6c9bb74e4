import { Alert, Box, Button, Typography } from "@mui/material";
import { useAllTrainings } from "../list/useAllTrainings";
import { useTrainingsText } from "../../../text/trainings";
import { ClassBalance } from "../charts/ClassBalance";
import { duration } from "../format";
import { estimateOf } from "./estimate";
import { type Step, stepOfField } from "./form";
import type { StepProps } from "./Wizard";

interface ReviewStepProps extends StepProps {
  onGo: (step: Step) => void;
}

/** All answers once more, how long it may take, and what happens then. */
export function ReviewStep({ form, faults, options, datasets, models, classes, name, onGo }: ReviewStepProps) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  const { trainings } = useAllTrainings();
  const images =
    form.kind === "generator" ? (classes[form.faceClass] ?? 0) : Object.values(classes).reduce((a, b) => a + b, 0);
  const voting = form.kind === "ensemble" && form.method === "voting";
  const network = form.kind === "ensemble" ? words.methods[form.method].title : form.architecture;
  const estimate = voting ? null : estimateOf(form, images, trainings);
  const ahead = trainings.filter(({ status }) => status === "running" || status === "pending").length;
  const before = options.at_once > ahead ? 0 : ahead;
  const base = models.find(({ uuid }) => uuid === form.model);
  const bases = form.bases.map((uuid) => models.find((model) => model.uuid === uuid)?.label ?? uuid);
  const chosen = datasets.filter(({ uuid }) => form.datasets.includes(uuid)).map(({ label }) => label);
  if (form.includeUploaded) chosen.push(words.includeUploaded);
  if (form.includeGenerated) chosen.push(words.includeGenerated);
  const rows: { step: Step; name: string; said: string; detail?: string | undefined }[] = [
    {
      step: "what",
      name: words.reviewWhat,
      said: `${text.trainings.kinds[form.kind]}, ${network}`,
      detail: bases.length > 0 && form.kind === "ensemble" ? bases.join(", ") : undefined,
    },
    {
      step: "pictures",
      name: words.reviewPictures,
      said: chosen.join(", ") || "–",
      detail: text.trainings.pictures(images),
    },
    {
      step: "settings",
      name: words.reviewSettings,
      said: [
        form.kind === "generator" ? null : words.presets[form.preset].title,
        form.kind === "detector" ? words.weights[form.weights].title : null,
        form.kind === "ensemble" ? null : `${form.resolution} px`,
      ]
        .filter(Boolean)
        .join(" · "),
      detail: voting ? undefined : words.reviewNumbers(form.epochs, form.batch),
    },
    {
      step: "settings",
      name: words.reviewName,
      said: base ? words.becomesNext(base.label) : form.label.trim() || name,
      detail: base || !form.label.trim() ? undefined : name,
    },
  ];
  return (
    <Box sx={{ display: "grid", gap: 3 }}>
      <Typography variant="h3" component="h2">
        {words.reviewTitle}
      </Typography>
      <Box component="dl" sx={{ m: 0, display: "grid" }}>
        {rows.map(({ step, name: title, said, detail }) => (
          <Box
            key={title}
            sx={{
              display: "grid",
              gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "110px minmax(0, 1fr)" },
              columnGap: 2,
              alignItems: "baseline",
              py: 1.5,
              borderTop: 1,
              borderColor: "divider",
            }}
          >
            <Typography component="dt" color="textSecondary">
              {title}
            </Typography>
            <Box component="dd" sx={{ m: 0, display: "flex", gap: 2, alignItems: "baseline" }}>
              <Box sx={{ flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
                <Box sx={{ fontWeight: 600 }}>{said}</Box>
                {detail && (
                  <Typography variant="body2" color="textSecondary">
                    {detail}
                  </Typography>
                )}
              </Box>
              <Button
                size="small"
                sx={{ minHeight: 32 }}
                onClick={() => onGo(step)}
                aria-label={`${words.change}: ${title}`}
              >
                {words.change}
              </Button>
            </Box>
          </Box>
        ))}
        <Box
          sx={{
            display: "grid",
            gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "110px minmax(0, 1fr)" },
            columnGap: 2,
            py: 1.5,
            borderTop: 1,
            borderBottom: 1,
            borderColor: "divider",
          }}
        >
          <Typography component="dt" color="textSecondary">
            {words.estimate}
          </Typography>
          <Box component="dd" sx={{ m: 0 }}>
            {estimate ? (
              <>
                <Box sx={{ fontWeight: 600 }}>{words.estimateIs(duration(estimate.seconds, text))}</Box>
                <Typography variant="body2" color="textSecondary">
                  {words.estimateFrom(estimate.of, network)}
                </Typography>
              </>
            ) : (
              <Typography>{voting ? words.voting : words.estimateNone}</Typography>
            )}
          </Box>
        </Box>
      </Box>
      <ClassBalance classes={form.kind === "generator" ? { [form.faceClass]: images } : classes} />
      {Object.entries(faults as Record<string, string>).map(([field, fault]) => (
        <Alert
          key={field}
          severity="error"
          action={
            <Button color="inherit" size="small" onClick={() => onGo(stepOfField(field) ?? "settings")}>
              {words.change}
            </Button>
          }
        >
          {fault}
        </Alert>
      ))}
      {options.reason && <Alert severity="warning">{options.reason}</Alert>}
      <Typography color="textSecondary">
        {options.reason ? "" : `${words.position(before)} `}
        {words.after}
      </Typography>
    </Box>
  );
}
