import { Box, Button, Skeleton } from "@mui/material";
import { Plus, Swords } from "lucide-react";
import { useState } from "react";
import { useChallenges } from "../../../api/challenges";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { Gate } from "../../../components/Gate";
import { PartHead } from "../PartHead";
import { ChallengeCard } from "./ChallengeCard";
import { ScheduleCard } from "./ScheduleCard";
import { StartDialog } from "./StartDialog";

/** Is a version that learnt from people's labels better than the one in service? */
export function ChallengesPart() {
  const text = useText();
  return (
    <Gate scope="trainings" needs={text.settings.challenge.needs}>
      <Challenges />
    </Gate>
  );
}

function Challenges() {
  const text = useText();
  const words = text.settings.challenge;
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useChallenges();
  const [starting, setStarting] = useState(false);
  const challenges = data?.pages.flatMap((page) => page.challenges) ?? [];
  return (
    <>
      <PartHead
        title={words.title}
        lead={words.lead}
        action={
          <Button variant="contained" startIcon={<Plus size={18} />} onClick={() => setStarting(true)}>
            {words.start}
          </Button>
        }
      />
      <Box
        sx={{
          display: "grid",
          alignItems: "start",
          gap: { xs: 3, md: 4 },
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 1fr) 300px" },
        }}
      >
        <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
          {error && !data && <ProblemAlert error={error} onRetry={() => void refetch()} />}
          {isPending && <Skeleton variant="rounded" height={320} sx={{ borderRadius: 5 }} />}
          {data && challenges.length === 0 && (
            <EmptyState icon={Swords} title={words.emptyTitle} detail={words.empty} />
          )}
          {challenges.map((challenge) => (
            <ChallengeCard key={challenge.uuid} challenge={challenge} />
          ))}
          {hasNextPage && (
            <Button variant="outlined" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {text.settings.loadMore}
            </Button>
          )}
        </Box>
        <Box sx={{ position: { md: "sticky" }, top: 88 }}>
          <ScheduleCard />
        </Box>
      </Box>
      {starting && <StartDialog onClose={() => setStarting(false)} />}
    </>
  );
}
