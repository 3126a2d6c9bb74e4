import { Box, Skeleton } from "@mui/material";
import { useSearchParams } from "react-router";
import { useAllModels } from "../../../api/models";
import { useDatasets } from "../../../api/datasets";
import { useTraining, useTrainingOptions } from "../../../api/trainings";
import { PageTitle } from "../../../components/PageTitle";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { BackLink } from "../BackLink";
import { TrainersOnly } from "../TrainersOnly";
import { type Form, formOf, freshForm, ofKind } from "./form";
import { Wizard } from "./Wizard";

export function Component() {
  const words = useTrainingsText().trainings;
  const [query] = useSearchParams();
  const from = query.get("from");
  return (
    <TrainersOnly scope="trainings">
      <BackLink to="/trainings">{words.training.back}</BackLink>
      <PageTitle title={words.wizard.title} lead={words.wizard.lead} />
      {from ? <FromTraining uuid={from} /> : <Loaded data={query.get("data")} />}
    </TrainersOnly>
  );
}

/** Begins with the settings of an earlier training. */
function FromTraining({ uuid }: { uuid: string }) {
  const { data: training, error, refetch } = useTraining(uuid);
  if (training) return <Loaded start={formOf(training)} data={null} />;
  return error ? <ProblemAlert error={error} onRetry={() => void refetch()} /> : <Waiting />;
}

/** Everything that is chosen from is there before the first question. */
function Loaded({ start, data }: { start?: Form; data: string | null }) {
  const lists = {
    options: useTrainingOptions(),
    detectorData: useDatasets("detector"),
    generatorData: useDatasets("generator"),
    detectors: useAllModels("detector"),
    generators: useAllModels("generator"),
  };
  const { options, detectorData, generatorData, detectors, generators } = lists;
  if (options.data && detectorData.data && generatorData.data && detectors.data && generators.data) {
    const datasets = [...detectorData.data, ...generatorData.data];
    const chosen = datasets.find(({ uuid }) => uuid === data);
    // A list from before the data set was made is being asked for anew.
    if (data && !chosen && (detectorData.isFetching || generatorData.isFetching)) return <Waiting />;
    const first = start ?? (chosen ? { ...ofKind(freshForm(), chosen.type), datasets: [chosen.uuid] } : freshForm());
    return (
      <Wizard
        start={withSensibleClass(first, chosen?.classes)}
        options={options.data}
        datasets={datasets}
        models={[...detectors.data, ...generators.data]}
      />
    );
  }
  const failed = Object.values(lists).find(({ error, data: got }) => error && !got);
  return failed ? <ProblemAlert error={failed.error} onRetry={() => void failed.refetch()} /> : <Waiting />;
}

/** A generator draws what most of the pictures are. */
function withSensibleClass(form: Form, classes: Record<string, number> | undefined): Form {
  if (form.kind !== "generator" || !classes) return form;
  return { ...form, faceClass: (classes.anime ?? 0) > (classes.human ?? 0) ? "anime" : "human" };
}

function Waiting() {
  const text = useTrainingsText();
  return (
    <Box role="status" aria-label={text.trainings.loading}>
      <Skeleton variant="rounded" sx={{ height: 48, borderRadius: 9, mb: 3 }} />
      <Skeleton variant="rounded" sx={{ height: 340, borderRadius: 5 }} />
    </Box>
  );
}
