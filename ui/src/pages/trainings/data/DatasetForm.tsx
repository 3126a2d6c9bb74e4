import { Alert, Box, Button, Card, TextField, Typography } from "@mui/material";
import { useState } from "react";
import { limits } from "../../../api/limits";
import { ProblemError } from "../../../api/problem";
import { FACE_CLASSES } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useTrainingsText } from "../../../text/trainings";
import { ChoiceCards } from "../ChoiceCards";
import { type Draft, draftStore } from "./upload/draftStore";

const NAME = new RegExp(limits.DatasetRequest.name.pattern);

/** What the pictures are, and what they are called. */
export function DatasetForm({ draft }: { draft: Draft }) {
  const text = useTrainingsText();
  const words = text.trainings.upload;
  const [tried, setTried] = useState(false);
  const { items, type, content, name, label, wanted, making, error } = draft;
  const field = error instanceof ProblemError ? error.problem?.field : null;
  const done = items.length > 0 && items.every(({ state }) => state === "done");
  const badName = name !== "" && !NAME.test(name);
  const nameProblem = badName || (tried && name === "") ? words.badName : field === "name" ? error?.message : null;

  return (
    <Card
      component="form"
      noValidate
      onSubmit={(event: React.SyntheticEvent) => {
        event.preventDefault();
        setTried(true);
        if (items.length > 0 && content !== null && name !== "" && !badName) draftStore.make();
      }}
      sx={{ p: { xs: 2, sm: 3 }, display: "grid", gap: 3 }}
    >
      <ChoiceCards
        legend={words.purpose}
        value={type}
        onChange={(value) => draftStore.change({ type: value })}
        options={[
          { value: "detector" as const, title: words.purposeDetector, text: words.purposeDetectorHint },
          { value: "generator" as const, title: words.purposeGenerator, text: words.purposeGeneratorHint },
        ]}
      />
      <ChoiceCards
        legend={words.content}
        value={content}
        onChange={(value) => draftStore.change({ content: value })}
        problem={tried && content === null ? words.choose : null}
        dense
        options={[
          { value: "folders" as const, title: words.byFolder, text: words.byFolderHint, wide: true },
          ...FACE_CLASSES.map((faceClass) => ({
            value: faceClass,
            title: text.face[faceClass].short,
            icon: <FaceClassDot faceClass={faceClass} />,
          })),
        ]}
      />
      <Box
        sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))" } }}
      >
        <TextField
          label={words.name}
          required
          value={name}
          error={Boolean(nameProblem)}
          helperText={nameProblem ?? words.nameHint}
          onChange={(event) => draftStore.change({ name: event.target.value })}
          slotProps={{ htmlInput: { maxLength: 64, autoCapitalize: "none", spellCheck: false } }}
        />
        <TextField
          label={words.label}
          value={label}
          error={field === "label"}
          helperText={field === "label" ? error?.message : words.labelHint}
          onChange={(event) => draftStore.change({ label: event.target.value })}
          slotProps={{ htmlInput: { maxLength: limits.DatasetRequest.label.maxLength } }}
        />
      </Box>
      {error && field !== "name" && field !== "label" && <ProblemAlert error={error} />}
      {wanted && !making && <Alert severity="info">{words.madeLater}</Alert>}
      <Box>
        <Button
          type="submit"
          variant="contained"
          size="large"
          fullWidth
          loading={making}
          disabled={wanted || items.length === 0}
        >
          {done || items.length === 0 ? words.make : words.makeLater}
        </Button>
        {items.length === 0 && (
          <Typography variant="body2" color="textSecondary" sx={{ mt: 1, textAlign: "center" }}>
            {words.start}
          </Typography>
        )}
      </Box>
    </Card>
  );
}
