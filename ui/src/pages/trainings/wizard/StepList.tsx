import { Box, ButtonBase } from "@mui/material";
import { Check, TriangleAlert } from "lucide-react";
import { useTrainingsText } from "../../../text/trainings";
import { type Step, STEPS } from "./form";

interface StepListProps {
  current: Step;
  /** The first step in which something is missing. */
  faulty: Step | undefined;
  onGo: (step: Step) => void;
}

/** The four steps, and where one is. Those behind can be gone back to. */
export function StepList({ current, faulty, onGo }: StepListProps) {
  const words = useTrainingsText().trainings.wizard;
  const place = STEPS.indexOf(current);
  return (
    <Box
      component="ol"
      aria-label={words.stepsLabel}
      sx={{
        listStyle: "none",
        m: 0,
        mb: 2.5,
        p: 0,
        display: "grid",
        gridTemplateColumns: "repeat(4, 1fr)",
        gap: { xs: 0.75, sm: 1.5 },
      }}
    >
      {STEPS.map((step, n) => {
        const behind = n < place;
        const wrong = step === faulty && n <= place;
        return (
          <li key={step}>
            <ButtonBase
              disabled={n > place}
              aria-current={step === current ? "step" : undefined}
              onClick={() => onGo(step)}
              sx={{
                width: "100%",
                justifyContent: "flex-start",
                gap: 0.75,
                pt: 1.25,
                pb: 0.75,
                borderTop: 4,
                borderColor: n <= place ? "primary.main" : "action.selected",
                fontFamily: "inherit",
                color: step === current ? "text.primary" : "text.secondary",
                fontWeight: step === current ? 700 : 550,
                fontSize: { xs: "0.875rem", sm: "1rem" },
                transition: "border-color .2s",
                borderRadius: "2px",
              }}
            >
              {wrong ? (
                <TriangleAlert size={16} aria-hidden />
              ) : behind ? (
                <Box component="span" aria-hidden sx={{ display: { xs: "none", sm: "flex" } }}>
                  <Check size={16} strokeWidth={3} />
                </Box>
              ) : (
                <Box
                  component="span"
                  aria-hidden
                  sx={{ display: { xs: "none", sm: "inline" }, fontVariantNumeric: "tabular-nums" }}
                >
                  {n + 1}
                </Box>
              )}
              {words.steps[step]}
            </ButtonBase>
          </li>
        );
      })}
    </Box>
  );
}
