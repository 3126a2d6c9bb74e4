import { Box, Tooltip, Typography } from "@mui/material";
import { type DetectorMetrics, FACE_CLASSES } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useTrainingsText } from "../../../text/trainings";
import { percent } from "../format";

/** Precision, recall and F1 of each class. */
export function ClassTable({ metrics }: { metrics: DetectorMetrics }) {
  const text = useTrainingsText();
  const words = text.trainings.result;
  const columns = [
    { name: words.precision, hint: words.precisionHint, of: "precision" },
    { name: words.recall, hint: words.recallHint, of: "recall" },
    { name: words.f1, hint: words.f1Hint, of: "f1" },
  ] as const;
  return (
    <Box>
      <Typography variant="h4" component="h3" sx={{ mb: 1 }}>
        {words.classes}
      </Typography>
      <Box
        component="table"
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
            <th scope="col">{words.class}</th>
            {columns.map(({ name, hint }) => (
              <th key={name} scope="col">
                <Tooltip describeChild title={hint}>
                  <span>{name}</span>
                </Tooltip>
              </th>
            ))}
            <Box component="th" scope="col" sx={{ display: { xs: "none", sm: "table-cell" } }}>
              {words.support}
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
    </Box>
  );
}
