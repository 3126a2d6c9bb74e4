import { Box } from "@mui/material";
import type { FaceClass } from "../api/types";

/** The colour of a class, beside its name. Generated ones are squares, real ones are round, so colour is not all. */
export function FaceClassDot({ faceClass, size = 10 }: { faceClass: FaceClass; size?: number }) {
  return (
    <Box
      component="span"
      aria-hidden
      sx={{
        display: "inline-block",
        flexShrink: 0,
        width: size,
        height: size,
        borderRadius: faceClass.endsWith("_gen") ? "3px" : "50%",
        bgcolor: `face.${faceClass}`,
      }}
    />
  );
}
