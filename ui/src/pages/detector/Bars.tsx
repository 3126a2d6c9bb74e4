import { Box, Card, Typography } from "@mui/material";
import { type Classification, FACE_CLASSES, type FaceClass } from "../../api/types";
import { FaceClassDot } from "../../components/FaceClassDot";
import { useText } from "../../text";

/** Probabilities: the vote, and each detector. */
export function Bars({ answer }: { answer: Classification }) {
  const text = useText();
  const { verdict, models } = answer;
  return (
    <Card sx={{ p: { xs: 2, sm: 3 }, display: "grid", gap: 3 }}>
      {verdict && (
        <BarGroup
          title={text.detector.vote}
          hint={models.length === 1 && models[0] ? models[0].model_label : text.detector.voteHint(models.length)}
          probabilities={verdict.probabilities}
          called={verdict.called}
          tall
        />
      )}
      {models.length > 1 && (
        <Box
          sx={{
            display: "grid",
            gap: 3,
            pt: 3,
            borderTop: 1,
            borderColor: "divider",
            gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(auto-fit, minmax(220px, 1fr))" },
          }}
        >
          {models.map((model) => (
            <BarGroup
              key={model.model_uuid}
              title={model.model_label}
              probabilities={model.probabilities}
              called={model.called}
            />
          ))}
        </Box>
      )}
    </Card>
  );
}

interface BarGroupProps {
  title: string;
  hint?: string;
  probabilities: Record<string, number>;
  called: FaceClass;
  tall?: boolean;
}

function BarGroup({ title, hint, probabilities, called, tall = false }: BarGroupProps) {
  const text = useText();
  return (
    <Box>
      <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, mb: 1 }}>
        <Typography variant="h4" component="h3">
          {title}
        </Typography>
        {hint && (
          <Typography variant="body2" color="textSecondary">
            {hint}
          </Typography>
        )}
      </Box>
      <Box
        component="ul"
        aria-label={title}
        sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: tall ? 1.25 : 0.75 }}
      >
        {FACE_CLASSES.map((faceClass) => {
          const probability = probabilities[faceClass] ?? 0;
          return (
            <Box
              component="li"
              key={faceClass}
              sx={{
                typography: "body2",
                fontWeight: faceClass === called ? 650 : 400,
                color: faceClass === called ? "text.primary" : "text.secondary",
              }}
            >
              <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
                <FaceClassDot faceClass={faceClass} />
                <Box component="span" sx={{ flex: 1 }}>
                  {text.face[faceClass][tall ? "name" : "short"]}
                </Box>
                <Box component="span" sx={{ fontVariantNumeric: "tabular-nums" }}>
                  {percent(probability, text.language)}
                </Box>
              </Box>
              <Box aria-hidden sx={{ mt: 0.5, height: tall ? 10 : 6, borderRadius: 9, bgcolor: "action.hover" }}>
                <Box
                  sx={{
                    height: "100%",
                    borderRadius: 9,
                    bgcolor: `face.${faceClass}`,
                    transition: "width .5s ease-out",
                  }}
                  style={{ width: `${probability * 100}%` }}
                />
              </Box>
            </Box>
          );
        })}
      </Box>
    </Box>
  );
}

function percent(probability: number, language: string): string {
  return probability.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });
}
