import type { ReactNode } from "react";
import { Gate } from "../../components/Gate";
import { PageTitle } from "../../components/PageTitle";
import { useTrainingsText } from "../../text/trainings";

/** A page for those who may train models, or bring data sets. */
export function TrainersOnly({ scope, children }: { scope: "trainings" | "datasets"; children: ReactNode }) {
  const words = useTrainingsText().trainings;
  return (
    <Gate scope={scope} needs={words.needs} head={<PageTitle title={words.title} lead={words.lead} />}>
      {children}
    </Gate>
  );
}
