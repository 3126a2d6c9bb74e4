import { Box, Typography } from "@mui/material";
import { FACE_CLASSES } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useTrainingsText } from "../../../text/trainings";

interface ClassBalanceProps {
  /** Images of each class. */
  classes: Partial<Record<string, number>>;
  /** Without names: where there is little room. */
  small?: boolean;
}

/** How the images are shared between the classes: one bar, and what is in it. */
export function ClassBalance({ classes, small = false }: ClassBalanceProps) {
  const text = useTrainingsText();
  const there = FACE_CLASSES.flatMap((faceClass) => {
    const images = classes[faceClass] ?? 0;
    return images > 0 ? [{ faceClass, images }] : [];
  });
  const said = there.map(
    ({ faceClass, images }) => `${text.face[faceClass].short} ${images.toLocaleString(text.language)}`,
  );
  return (
    <Box>
      <Box
        role="img"
        aria-label={text.trainings.data.balanceSays(said.join(", "))}
        sx={{ display: "flex", gap: "3px", height: small ? 10 : 16 }}
      >
        {there.length === 0 && <Box sx={{ flex: 1, borderRadius: 9, bgcolor: "action.hover" }} />}
        {there.map(({ faceClass, images }) => (
          <Box
            key={faceClass}
            sx={{
              minWidth: 6,
              bgcolor: `face.${faceClass}`,
              borderRadius: "3px",
              "&:first-of-type": { borderTopLeftRadius: 99, borderBottomLeftRadius: 99 },
              "&:last-of-type": { borderTopRightRadius: 99, borderBottomRightRadius: 99 },
              transition: "flex-grow .4s ease-out",
            }}
            style={{ flexGrow: images, flexBasis: 0 }}
          />
        ))}
      </Box>
      {there.length > 0 && (
        <Box
          aria-hidden
          sx={{
            display: "flex",
            flexWrap: "wrap",
            columnGap: 2,
            rowGap: 0.25,
            mt: 1,
            typography: "body2",
            color: "text.secondary",
          }}
        >
          {there.map(({ faceClass, images }) => (
            <Box key={faceClass} component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
              <FaceClassDot faceClass={faceClass} size={small ? 8 : 10} />
              {text.face[faceClass].short}
              <Typography
                component="span"
                variant="body2"
                color="textPrimary"
                sx={{ fontVariantNumeric: "tabular-nums", fontWeight: 600 }}
              >
                {images.toLocaleString(text.language)}
              </Typography>
            </Box>
          ))}
        </Box>
      )}
    </Box>
  );
}
