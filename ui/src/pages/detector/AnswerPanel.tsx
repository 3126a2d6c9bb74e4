import { Box, Skeleton } from "@mui/material";
import { Suspense } from "react";
import { ProblemAlert } from "../../components/ProblemAlert";
import { soon } from "../../components/soon";
import { useText } from "../../text";
import { Bars } from "./Bars";
import type { Check } from "./checks";
import { useChecks } from "./checksContext";
import { type Mood, moodOf } from "./mood";
import { Robot } from "./Robot";
import { sentenceOf } from "./sentence";
import { SpeechBubble } from "./SpeechBubble";

const Feedback = soon(async () => (await import("./Feedback")).Feedback);

interface AnswerPanelProps {
  check: Check | undefined;
  /** uuids of the chosen detectors, for another try */
  chosen: string[];
}

/** The robot, what it says, and what it says it from. */
export function AnswerPanel({ check, chosen }: AnswerPanelProps) {
  const text = useText();
  const { ask } = useChecks();
  const verdict = check?.state === "answered" ? check.answer?.verdict : undefined;
  const mood: Mood = verdict ? moodOf(verdict) : moodWithoutAnswer(check);
  return (
    <Box component="section" aria-label={text.detector.answer} sx={{ display: "grid", gap: 3 }}>
      <Box sx={{ display: "flex", alignItems: "flex-end", gap: { xs: 1.5, sm: 3 } }}>
        <Box sx={{ flexShrink: 0, "& svg": { width: { xs: 104, sm: 168 }, height: { xs: 104, sm: 168 } } }}>
          <Robot mood={mood} size={168} label={text.detector.robot} />
        </Box>
        <SpeechBubble verdict={verdict ?? undefined}>
          {verdict ? sentenceOf(verdict, text) : wordsFor(check, text)}
        </SpeechBubble>
      </Box>
      {check?.state === "failed" && <ProblemAlert error={check.error} onRetry={() => ask(check, chosen)} />}
      {check?.state === "answered" && check.answer && (
        <>
          <Suspense fallback={<Skeleton variant="rounded" height={90} />}>
            <Feedback key={check.id} check={check} />
          </Suspense>
          <Bars answer={check.answer} />
        </>
      )}
    </Box>
  );
}

function moodWithoutAnswer(check: Check | undefined): Mood {
  if (!check) return "idle";
  return check.state === "failed" ? "unsure" : "thinking";
}

function wordsFor(check: Check | undefined, text: ReturnType<typeof useText>): string {
  if (!check) return text.detector.idle;
  if (check.state === "failed") return text.detector.failed;
  return check.state === "waiting" ? text.detector.waiting : text.detector.thinking;
}
