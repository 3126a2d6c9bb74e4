import { Box, Skeleton } from "@mui/material";
import { Power } from "lucide-react";
import { Suspense, useState } from "react";
import { useModels } from "../../api/models";
import { useStatus } from "../../api/status";
import { soon } from "../../components/soon";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { usePreference } from "../../preferences";
import { useText } from "../../text";
import { chosenModels } from "../generator/useBatches";
import { AnswerPanel } from "./AnswerPanel";
import { useChecks } from "./checksContext";
import { DetectorChoice } from "./DetectorChoice";
import { DropZone } from "./DropZone";
import { useIncomingPictures } from "./useIncomingPictures";
import { useWebPicture } from "./useWebPicture";

const History = soon(async () => (await import("./History")).History);
const PictureView = soon(async () => (await import("./PictureView")).PictureView);

/** On the left the picture, on the right what the robot says of it. */
export function Component() {
  const text = useText();
  const { list, current, check, checkStored } = useChecks();
  const { data: status } = useStatus();
  const { data: models, error, refetch } = useModels("detector");
  const [wanted, setWanted] = usePreference<string[] | null>("detector.models", null);
  const chosen = chosenModels(models ?? [], wanted);
  const shown = list.find(({ id }) => id === current);
  const [heatModel, setHeatModel] = useState<string | null>(null);
  const web = useWebPicture(status?.fetches_pictures === true, (image) => checkStored(image, chosen));
  const incoming = useIncomingPictures((files) => check(files, chosen), web.fetch);

  if (models?.length === 0) {
    return (
      <>
        <PageTitle title={text.detector.title} lead={text.detector.lead} />
        <EmptyState icon={Power} title={text.detector.noModelsTitle} detail={text.detector.noModels} />
      </>
    );
  }
  return (
    <>
      <PageTitle title={text.detector.title} lead={text.detector.lead} />
      <Later>
        {error && !models && (
          <Box sx={{ mb: 3 }}>
            <ProblemAlert error={error} onRetry={() => void refetch()} />
          </Box>
        )}
        <Box
          sx={{
            display: "grid",
            alignItems: "start",
            columnGap: { md: 4, lg: 6 },
            rowGap: { xs: 3, md: 2 },
            gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 5fr) minmax(0, 6fr)" },
            gridTemplateRows: { md: shown ? "auto 1fr" : "auto" },
            // On a phone the answer comes before the tools.
            gridTemplateAreas: shown
              ? { xs: '"picture" "answer" "tools"', md: '"picture answer" "tools answer"' }
              : { xs: '"answer" "tools"', md: '"tools answer"' },
          }}
        >
          {shown && (
            <Box sx={{ gridArea: "picture", minWidth: 0 }}>
              <Suspense fallback={<Skeleton variant="rounded" sx={{ height: { xs: 200, md: 320 } }} />}>
                <PictureView key={shown.id} check={shown} heatModel={heatModel} onHeatModel={setHeatModel} />
              </Suspense>
            </Box>
          )}
          <Box sx={{ gridArea: "tools", display: "grid", gap: 2, minWidth: 0 }}>
            <DropZone incoming={incoming} web={web} small={shown !== undefined} />
            {(models ?? !error) && (
              <DetectorChoice models={models} chosen={chosen} onChoose={setWanted} shown={shown} />
            )}
          </Box>
          <Box sx={{ gridArea: "answer", display: "grid", gap: 4, minWidth: 0 }}>
            <AnswerPanel check={shown} chosen={chosen} />
            <Suspense>{list.length > 0 && <History />}</Suspense>
          </Box>
        </Box>
      </Later>
    </>
  );
}
