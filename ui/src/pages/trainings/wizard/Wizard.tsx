import { Box, Button, Card } from "@mui/material";
import { ArrowLeft, ArrowRight, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { ProblemError } from "../../../api/problem";
import { useQueueTraining } from "../../../api/trainings";
import type { Dataset, Model, TrainingOptions } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useNotice } from "../../../shell/notice";
import { useTrainingsText } from "../../../text/trainings";
import { chosenClasses, type Form, nameFor, requestOf, type Step, STEPS, stepOfField } from "./form";
import { PicturesStep } from "./PicturesStep";
import { ReviewStep } from "./ReviewStep";
import { SettingsStep } from "./SettingsStep";
import { StepList } from "./StepList";
import { type Faults, faultsOf } from "./validate";
import { WhatStep } from "./WhatStep";

export interface StepProps {
  form: Form;
  onChange: (change: Partial<Form>) => void;
  /** Shown once the step was to be left. */
  faults: Faults;
  options: TrainingOptions;
  datasets: Dataset[];
  models: Model[];
  /** Images of each class in what was chosen. */
  classes: Record<string, number>;
  /** What it is called where no name was given. */
  name: string;
}

interface WizardProps {
  start: Form;
  options: TrainingOptions;
  datasets: Dataset[];
  models: Model[];
}

/** Four questions, one at a time. The step is part of the address, so that 'back' goes back by one. */
export function Wizard({ start, options, datasets, models }: WizardProps) {
  const text = useTrainingsText();
  const words = text.trainings.wizard;
  const say = useNotice();
  const navigate = useNavigate();
  const [query, setQuery] = useSearchParams();
  const asked = query.get("step") as Step | null;
  const step = asked && STEPS.includes(asked) ? asked : "what";
  const place = STEPS.indexOf(step);
  const [form, setForm] = useState(start);
  // Steps that were to be left: only then is said what is missing in them.
  const [left, setLeft] = useState<ReadonlySet<Step>>(new Set());
  const queue = useQueueTraining();
  const heading = useRef<HTMLDivElement>(null);
  const shown = useRef(step);

  const type = form.kind === "generator" ? "generator" : "detector";
  const own = datasets.filter((each) => each.type === type);
  const classes = chosenClasses(form, own);
  const name = form.name || nameFor(form, models);
  const faults = faultsOf(form, classes, options, text);
  const refused = queue.error instanceof ProblemError ? queue.error.problem : null;
  const said: Faults = refused?.field ? { ...faults, [refused.field.split(".")[0] ?? ""]: refused.detail } : faults;
  const faultyStep = (faulty: Faults) =>
    STEPS.find((each) => Object.keys(faulty).some((field) => stepOfField(field) === each));

  useEffect(() => {
    if (shown.current === step) return;
    shown.current = step;
    heading.current?.focus({ preventScroll: true });
  }, [step]);

  const go = (to: Step) => {
    setLeft((before) => new Set([...before, step]));
    const next = new URLSearchParams(query);
    next.set("step", to);
    setQuery(next);
  };
  const change = (changed: Partial<Form>) => {
    setForm((now) => ({ ...now, ...changed }));
    if (queue.error) queue.reset();
  };
  const next = () => {
    setLeft((before) => new Set([...before, step]));
    if (faultyStep(faults) === step) return;
    const to = STEPS[place + 1];
    if (to) go(to);
    else begin();
  };
  const begin = () =>
    queue.mutate(requestOf(form, name), {
      onSuccess: (training) => {
        say(words.started(training.label));
        void navigate(`/trainings/${training.uuid}`, { replace: true });
      },
      onError: (problem) => {
        const to = stepOfField(problem instanceof ProblemError ? problem.problem?.field : null);
        if (to) go(to);
      },
    });

  const props: StepProps = {
    form,
    onChange: change,
    // What the server refuses is shown even where one has not been to that step.
    faults: left.has(step) || stepOfField(refused?.field) === step ? said : {},
    options,
    datasets: own,
    models,
    classes,
    name,
  };
  const last = step === "review";
  const faulty = last ? faultyStep(faults) : undefined;
  return (
    <Box sx={{ maxWidth: 920 }}>
      <StepList current={step} faulty={left.size > 0 ? faultyStep(said) : undefined} onGo={go} />
      <Card
        component="form"
        noValidate
        onSubmit={(event: React.SyntheticEvent) => {
          event.preventDefault();
          if (faulty) go(faulty);
          else next();
        }}
        sx={{ p: { xs: 2, sm: 4 } }}
      >
        <Box
          ref={heading}
          tabIndex={-1}
          role="group"
          aria-label={`${words.stepOf(place + 1, STEPS.length)}: ${words.steps[step]}`}
          sx={{ outline: "none !important" }}
        >
          {step === "what" && <WhatStep {...props} />}
          {step === "pictures" && <PicturesStep {...props} />}
          {step === "settings" && <SettingsStep {...props} />}
          {step === "review" && <ReviewStep {...props} faults={said} onGo={go} />}
        </Box>
        {queue.error && !stepOfField(refused?.field) && (
          <Box sx={{ mt: 3 }}>
            <ProblemAlert error={queue.error} />
          </Box>
        )}
        <Box sx={{ display: "flex", gap: 1, mt: { xs: 3, sm: 4 }, justifyContent: "space-between" }}>
          {place > 0 ? (
            <Button
              size="large"
              startIcon={<ArrowLeft size={18} aria-hidden />}
              onClick={() => go(STEPS[place - 1] ?? "what")}
            >
              {words.back}
            </Button>
          ) : (
            <span />
          )}
          <Button
            type="submit"
            variant="contained"
            size="large"
            loading={queue.isPending}
            sx={{ whiteSpace: "nowrap", px: { xs: 2.5, sm: 3.25 } }}
            {...(last
              ? { startIcon: <Play size={18} aria-hidden /> }
              : { endIcon: <ArrowRight size={18} aria-hidden /> })}
          >
            {last ? words.start : words.next}
          </Button>
        </Box>
      </Card>
    </Box>
  );
}
