import { Box, Tooltip } from "@mui/material";
import { type DetectorMetrics, FACE_CLASSES } from "../api/types";
import { percent } from "../numbers";
import { useText } from "../text";
import { FaceClassDot } from "./FaceClassDot";

/** Precision, recall and F1 of each class that there were pictures of. */
export function ClassTable({ metrics }: { metrics: DetectorMetrics }) {
  const text = useText();
  const words = text.figures;
  const columns = [
    { name: words.precision, hint: words.precisionHint, of: "precision" },
    { name: words.recall, hint: words.recallHint, of: "recall" },
    { name: words.f1, hint: words.f1Hint, of: "f1" },
  ] as const;
  return (
    <Box
      component="table"
      aria-label={words.classes}
      sx={{
        width: "100%",
        borderCollapse: "collapse",
        typography: "body2",
        fontVariantNumeric: "tabular-nums",
        "& th, & td": { py: 1, pl: { xs: 1, sm: 2 }, textAlign: "end", borderBottom: 1, borderColor: "divider" },
        "& th": { fontWeight: 550, color: "text.secondary" },
        "& th:first-of-type": { textAlign: "start", pl: 0 },
        "& tbody th": { color: "text.primary" },
      }}
    >
      <thead>
        <tr>
          <th scope="col">{words.faceClass}</th>
          {columns.map(({ name, hint }) => (
            <th key={name} scope="col">
              <Tooltip describeChild title={hint}>
                <span>{name}</span>
              </Tooltip>
            </th>
          ))}
          <Box component="th" scope="col" sx={{ display: { xs: "none", sm: "table-cell" } }}>
            {words.pictures}
          </Box>
        </tr>
      </thead>
      <tbody>
        {FACE_CLASSES.map((faceClass) => {
          const figures = metrics.classes[faceClass];
          if (!figures || figures.support === 0) return null;
          return (
            <tr key={faceClass}>
              <th scope="row">
                <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
                  <FaceClassDot faceClass={faceClass} />
                  {text.face[faceClass].short}
                </Box>
              </th>
              {columns.map(({ name, of }) => (
                <Box component="td" key={name} sx={of === "f1" ? { fontWeight: 700 } : undefined}>
                  {percent(figures[of], text.language)}
                </Box>
              ))}
              <Box component="td" sx={{ display: { xs: "none", sm: "table-cell" } }}>
                {figures.support.toLocaleString(text.language)}
              </Box>
            </tr>
          );
        })}
      </tbody>
    </Box>
  );
}
