import { Box } from "@mui/material";
import { FACE_CLASSES } from "../api/types";
import { FaceClassDot } from "./FaceClassDot";
import { useText } from "../text";

interface ConfusionMatrixProps {
  /** `[i][j]` counts images of class i that were called class j */
  confusion: readonly (readonly number[])[];
  label: string;
  /** A picture without numbers: for a card. */
  small?: boolean;
}

/** Rows are what the images are, columns what they were called; the stronger the colour, the larger the share of the row. Classes without an image have no row. */
export function ConfusionMatrix({ confusion, label, small = false }: ConfusionMatrixProps) {
  const text = useText();
  if (small) {
    return (
      <Box
        role="img"
        aria-label={label}
        sx={{ display: "grid", gridTemplateColumns: "repeat(4, 1fr)", gap: "3px", width: 1, aspectRatio: "1" }}
      >
        {confusion.flatMap((row, i) =>
          row.map((n, j) => <Box key={`${i}-${j}`} sx={{ borderRadius: "4px" }} style={cell(n, row, i === j)} />),
        )}
      </Box>
    );
  }
  return (
    <Box
      component="table"
      aria-label={label}
      sx={{
        width: 1,
        tableLayout: "fixed",
        borderCollapse: "separate",
        borderSpacing: "3px",
        typography: "body2",
        fontVariantNumeric: "tabular-nums",
        "& th": { fontWeight: 500, color: "text.secondary", p: 0.25, lineHeight: 1.2, fontSize: "0.75rem" },
        "& thead th": { verticalAlign: "bottom" },
        "& tbody th": { textAlign: "left" },
        "& td": { textAlign: "center", borderRadius: "6px", height: 42, p: 0 },
      }}
    >
      <thead>
        <tr>
          <Box component="td" sx={{ width: "28%" }} />
          {FACE_CLASSES.map((faceClass) => (
            <th key={faceClass} scope="col">
              <FaceClassDot faceClass={faceClass} />
              {/* On a phone the columns are too narrow for words; the rows have the same dots beside theirs. */}
              <Box component="span" sx={{ display: "block", "@media (max-width: 599px)": visuallyHidden }}>
                {text.face[faceClass].short}
              </Box>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {FACE_CLASSES.map((faceClass, i) => {
          const row = confusion[i] ?? [];
          if (!row.some((n) => n > 0)) return null;
          return (
            <tr key={faceClass}>
              <th scope="row">
                <Box component="span" sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
                  <FaceClassDot faceClass={faceClass} />
                  {text.face[faceClass].short}
                </Box>
              </th>
              {FACE_CLASSES.map((called, j) => {
                const n = row[j] ?? 0;
                return (
                  <td
                    key={called}
                    title={text.confusionCell(n, text.face[faceClass].short, text.face[called].short)}
                    style={cell(n, row, i === j)}
                  >
                    {n.toLocaleString(text.language)}
                  </td>
                );
              })}
            </tr>
          );
        })}
      </tbody>
    </Box>
  );
}

const visuallyHidden = {
  position: "absolute",
  width: "1px",
  height: "1px",
  overflow: "hidden",
  clipPath: "inset(50%)",
};

/** Green where it was right, vermilion where not; the words on it stay readable at half strength. */
function cell(n: number, row: readonly number[], right: boolean) {
  const all = row.reduce((sum, each) => sum + each, 0);
  const share = all > 0 ? n / all : 0;
  const colour = right ? "primary" : "secondary";
  const strength = Math.round((right ? 8 + 44 * share : 4 + 60 * share) * 10) / 10;
  return { backgroundColor: `color-mix(in srgb, var(--mui-palette-${colour}-main) ${strength}%, transparent)` };
}
