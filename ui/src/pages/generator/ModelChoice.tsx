import { Box, ButtonBase, Typography } from "@mui/material";
import { Check } from "lucide-react";
import type { Model } from "../../api/types";
import { FaceClassDot } from "../../components/FaceClassDot";
import { useText } from "../../text";

interface ModelChoiceProps {
  model: Model;
  chosen: boolean;
  onToggle: () => void;
}

/** One generator, to be pressed in or out. */
export function ModelChoice({ model, chosen, onToggle }: ModelChoiceProps) {
  const text = useText();
  return (
    <ButtonBase
      aria-pressed={chosen}
      onClick={onToggle}
      title={model.description}
      sx={{
        display: "flex",
        justifyContent: "flex-start",
        textAlign: "left",
        gap: 1.5,
        p: 1.25,
        pr: 1.75,
        borderRadius: 3.5,
        border: 1.5,
        borderColor: chosen ? "primary.main" : "divider",
        bgcolor: chosen ? "primary.light" : "transparent",
        transition: "background-color .15s, border-color .15s",
        "&:hover": { borderColor: "primary.main" },
      }}
    >
      <Box
        aria-hidden
        sx={{
          display: "grid",
          placeItems: "center",
          flexShrink: 0,
          width: 24,
          height: 24,
          borderRadius: 2,
          border: 1.5,
          borderColor: chosen ? "primary.main" : "text.secondary",
          bgcolor: chosen ? "primary.main" : "transparent",
          color: "primary.contrastText",
        }}
      >
        {chosen && <Check size={16} strokeWidth={3} />}
      </Box>
      <Box sx={{ minWidth: 0 }}>
        <Typography sx={{ fontWeight: 600, lineHeight: 1.3 }}>{model.label}</Typography>
        {model.face_class && (
          <Typography variant="body2" color="textSecondary" sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
            <FaceClassDot faceClass={model.face_class} />
            {text.generator.makes[model.face_class]}
          </Typography>
        )}
      </Box>
    </ButtonBase>
  );
}
