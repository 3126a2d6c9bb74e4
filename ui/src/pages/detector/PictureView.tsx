import { Box, Card, FormControlLabel, MenuItem, Select, Slider, Switch, Typography } from "@mui/material";
import { ImageOff } from "lucide-react";
import { useState } from "react";
import { usePreference } from "../../preferences";
import { useText } from "../../text";
import type { Check } from "./checks";
import { HeatMap } from "./HeatMap";

interface PictureViewProps {
  check: Check;
  /** uuid of the detector whose heat map is wanted; it stays from picture to picture */
  heatModel: string | null;
  onHeatModel: (uuid: string) => void;
}

/** The picture on the table, and over it what the detectors looked at. */
export function PictureView({ check, heatModel, onHeatModel }: PictureViewProps) {
  const text = useText();
  const [heat, setHeat] = usePreference("detector.heat", false);
  const [strength, setStrength] = usePreference("detector.heatStrength", 0.75);
  const [broken, setBroken] = useState(false);
  const answers = check.answer?.models ?? [];
  const seeing = answers.filter((answer) => answer.activation_map);
  const seen = seeing.find((answer) => answer.model_uuid === heatModel) ?? seeing[0];
  const looking = check.state === "asking";
  return (
    <Card sx={{ overflow: "hidden" }}>
      <Box sx={{ display: "grid", placeItems: "center", bgcolor: "#0c100e", minHeight: { xs: 200, md: 320 } }}>
        {broken ? (
          <Box
            sx={{ color: "#a9b0a9", display: "grid", justifyItems: "center", gap: 1, p: 3, overflowWrap: "anywhere" }}
          >
            <ImageOff size={36} aria-hidden />
            <Typography variant="body2">{check.name}</Typography>
          </Box>
        ) : (
          <Box className={looking ? "picture looking" : "picture"} sx={pictureFrame}>
            <img src={check.preview} alt={text.detector.pictureAlt(check.name)} onError={() => setBroken(true)} />
            {seen?.activation_map && (
              <HeatMap
                map={seen.activation_map}
                label={text.detector.heatAlt(text.face[seen.activation_map.face_class].name)}
                strength={heat ? strength : 0}
              />
            )}
          </Box>
        )}
      </Box>
      {check.state === "answered" && (
        <Box sx={{ px: 2, py: 1, display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: 2 }}>
          {seen ? (
            <>
              <FormControlLabel
                control={<Switch checked={heat} onChange={(_event, on) => setHeat(on)} />}
                label={text.detector.heat}
                sx={{ mr: 0 }}
              />
              {heat && (
                <Box sx={{ flex: "1 1 120px", px: 1, display: "flex" }}>
                  <Slider
                    size="small"
                    aria-label={text.detector.heatStrength}
                    min={0}
                    max={1}
                    step={0.05}
                    value={strength}
                    onChange={(_event, value) => setStrength(value)}
                  />
                </Box>
              )}
              {heat && seeing.length > 1 && (
                <Select
                  size="small"
                  variant="standard"
                  value={seen.model_uuid}
                  onChange={(event) => onHeatModel(event.target.value)}
                  inputProps={{ "aria-label": text.detector.heatModel }}
                >
                  {seeing.map((answer) => (
                    <MenuItem key={answer.model_uuid} value={answer.model_uuid}>
                      {text.detector.heatOf(answer.model_label)}
                    </MenuItem>
                  ))}
                </Select>
              )}
            </>
          ) : (
            <Typography variant="body2" color="textSecondary" sx={{ py: 1 }}>
              {text.detector.heatNone}
            </Typography>
          )}
        </Box>
      )}
    </Card>
  );
}

/** Small pictures are enlarged, tall ones end before the screen does; the frame is as large as the picture. */
const pictureFrame = {
  position: "relative",
  overflow: "hidden",
  lineHeight: 0,
  "& img": {
    display: "block",
    maxWidth: "100%",
    minHeight: "min(320px, 60vw)",
    maxHeight: { xs: "56vh", md: "60vh" },
    objectFit: "contain",
  },
  "@keyframes look": { from: { transform: "translateY(-100%)" }, to: { transform: "translateY(100%)" } },
  "&.looking::after": {
    content: '""',
    position: "absolute",
    inset: 0,
    background: "linear-gradient(transparent 55%, rgba(143, 227, 208, .55) 98%, #8fe3d0 100%)",
    animation: "look 1.5s linear infinite",
  },
  "@media (prefers-reduced-motion: reduce)": { "&.looking::after": { display: "none" } },
} as const;
