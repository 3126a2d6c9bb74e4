import { Box, MenuItem, TextField, Typography } from "@mui/material";
import { FACE_CLASSES, type FaceClass } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useText } from "../../../text";

interface ClassOrderProps {
  order: readonly FaceClass[];
  onChange: (order: FaceClass[]) => void;
}

/** Which class each output of a detector stands for. A class that is put in one place leaves its own to what was there. */
export function ClassOrder({ order, onChange }: ClassOrderProps) {
  const text = useText();
  const words = text.settings.upload;
  const put = (place: number, faceClass: FaceClass) => {
    const was = order[place];
    onChange(order.map((each, n) => (n === place ? faceClass : each === faceClass && was ? was : each)));
  };
  return (
    <Box component="fieldset" sx={{ m: 0, p: 0, border: 0, minWidth: 0 }}>
      <Typography component="legend" sx={{ p: 0, fontWeight: 600 }}>
        {words.classes}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 2 }}>
        {words.classesHint}
      </Typography>
      <Box
        sx={{
          display: "grid",
          gap: 2,
          gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))" },
        }}
      >
        {order.map((faceClass, place) => (
          <TextField
            key={place}
            select
            label={words.output(place + 1)}
            value={faceClass}
            onChange={(event) => put(place, event.target.value as FaceClass)}
          >
            {FACE_CLASSES.map((each) => (
              <MenuItem key={each} value={each}>
                <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
                  <FaceClassDot faceClass={each} />
                  {text.face[each].short}
                </Box>
              </MenuItem>
            ))}
          </TextField>
        ))}
      </Box>
    </Box>
  );
}
