import { Box } from "@mui/material";
import type { Verdict } from "../../api/types";
import { FaceClassDot } from "../../components/FaceClassDot";
import { useText } from "../../text";

interface SpeechBubbleProps {
  verdict: Verdict | undefined;
  children: string;
}

/** What the robot says; screen readers hear it when it changes. */
export function SpeechBubble({ verdict, children }: SpeechBubbleProps) {
  const text = useText();
  return (
    <Box
      sx={{
        position: "relative",
        minWidth: 0,
        flex: 1,
        mb: { xs: 3, sm: 6 },
        px: { xs: 2, sm: 3 },
        py: { xs: 1.75, sm: 2.5 },
        borderRadius: 5,
        bgcolor: "background.paper",
        border: 1.5,
        borderColor: "text.primary",
        "&::before": {
          content: '""',
          position: "absolute",
          left: -9,
          bottom: 26,
          width: 16,
          height: 16,
          bgcolor: "background.paper",
          borderLeft: "1.5px solid",
          borderBottom: "1.5px solid",
          borderColor: "text.primary",
          transform: "rotate(45deg)",
        },
      }}
    >
      {verdict && (
        <Box
          sx={{
            display: "inline-flex",
            alignItems: "center",
            gap: 0.75,
            mb: 0.5,
            typography: "overline",
            color: verdict.generated ? "secondary.main" : "primary.main",
          }}
        >
          <FaceClassDot faceClass={verdict.called} />
          {verdict.generated ? text.detector.generated : text.detector.real}
        </Box>
      )}
      <Box role="status" sx={{ typography: { xs: "h4", sm: "h3" }, fontWeight: 550, textWrap: "pretty" }}>
        {children}
      </Box>
    </Box>
  );
}
