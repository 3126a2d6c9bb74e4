import {
  Accordion,
  AccordionDetails,
  AccordionSummary,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  LinearProgress,
  MenuItem,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
  Typography,
} from "@mui/material";
import { ChevronDown, ScanFace, Sparkles } from "lucide-react";
import { useState } from "react";
import { useAddModel } from "../../../api/models";
import type { ModelType } from "../../../api/types";
import { useUpload } from "../../../api/uploads";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { ModelAdded } from "./ModelAdded";
import type { ModelGroup } from "./modelGroups";
import { labelFrom, NAME, nameFrom } from "./nameFrom";
import { OnnxFile } from "./OnnxFile";

const NEW = "new";

/** A model that was trained elsewhere. The file is on its way while the person still fills in the rest. */
export function AddModelDialog({ all, onClose }: { all: ModelGroup[]; onClose: () => void }) {
  const text = useText();
  const words = text.settings.upload;
  const upload = useUpload();
  const add = useAddModel();
  const [file, setFile] = useState<File | null>(null);
  const [type, setType] = useState<ModelType>("detector");
  const [as, setAs] = useState(NEW);
  const [name, setName] = useState("");
  const [label, setLabel] = useState("");
  const [faceClass, setFaceClass] = useState<"human_gen" | "anime_gen">("human_gen");
  const [more, setMore] = useState({ architecture: "", description: "", licence: "" });

  const successorOf = all.find((group) => group.uuid === as);
  const wantedName = successorOf?.shown.name ?? name;
  const nameFits = NAME.test(wantedName);
  const ready = upload.phase === "sent" && upload.upload !== null && nameFits;

  const take = (chosen: File) => {
    setFile(chosen);
    add.reset();
    if (name === "") setName(nameFrom(chosen.name));
    if (label === "") setLabel(labelFrom(chosen.name));
    upload.start(chosen);
  };
  const leave = () => {
    if (add.isPending) return;
    if (!add.isSuccess) upload.drop();
    onClose();
  };
  const submit = () => {
    if (!ready || upload.upload === null) return;
    const { architecture, description, licence } = more;
    add.mutate(
      {
        upload: upload.upload,
        type,
        name: wantedName,
        ...(label && { label }),
        ...(successorOf && { model: successorOf.uuid }),
        ...(type === "generator" && { face_class: faceClass }),
        ...(architecture && { architecture }),
        ...(description && { description }),
        ...(licence && { licence }),
      },
      { onSuccess: upload.forget },
    );
  };

  return (
    <Dialog open onClose={leave} maxWidth="sm" fullWidth aria-labelledby="add-model-title">
      {add.data ? (
        <ModelAdded model={add.data} onClose={onClose} />
      ) : (
        <Box
          component="form"
          noValidate
          sx={{ display: "contents" }}
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <DialogTitle id="add-model-title" sx={{ typography: "h3" }}>
            {words.title}
          </DialogTitle>
          <DialogContent
            sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)", alignContent: "start" }}
          >
            <Typography color="textSecondary">{words.lead}</Typography>
            <ToggleButtonGroup
              exclusive
              fullWidth
              color="primary"
              value={type}
              aria-label={words.type}
              onChange={(_event, next: ModelType | null) => {
                if (next === null) return;
                setType(next);
                setAs(NEW);
              }}
              sx={{ "& button": { textTransform: "none", gap: 1, py: 1.25, borderRadius: 3 } }}
            >
              <ToggleButton value="detector">
                <ScanFace size={18} aria-hidden />
                {words.detector}
              </ToggleButton>
              <ToggleButton value="generator">
                <Sparkles size={18} aria-hidden />
                {words.generator}
              </ToggleButton>
            </ToggleButtonGroup>
            <OnnxFile
              file={file}
              upload={upload}
              hint={type === "detector" ? words.tensorsDetector : words.tensorsGenerator}
              onFile={take}
            />
            <TextField select label={words.as} value={as} onChange={(event) => setAs(event.target.value)}>
              <MenuItem value={NEW}>{words.asNew}</MenuItem>
              {all
                .filter((group) => group.shown.type === type)
                .map((group) => (
                  <MenuItem key={group.uuid} value={group.uuid}>
                    {words.asNext(group.shown.label)}
                  </MenuItem>
                ))}
            </TextField>
            <Box
              sx={{
                display: "grid",
                gap: 2,
                gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))" },
              }}
            >
              <TextField
                label={words.label}
                value={label}
                onChange={(event) => setLabel(event.target.value)}
                slotProps={{ htmlInput: { maxLength: 80 } }}
              />
              {!successorOf && (
                <TextField
                  label={words.name}
                  value={name}
                  required
                  error={name !== "" && !nameFits}
                  helperText={words.nameHint}
                  onChange={(event) => setName(event.target.value)}
                  slotProps={{ htmlInput: { maxLength: 63, autoCapitalize: "none", spellCheck: false } }}
                />
              )}
              {type === "generator" && (
                <TextField
                  select
                  label={words.makes}
                  value={faceClass}
                  onChange={(event) => setFaceClass(event.target.value === "anime_gen" ? "anime_gen" : "human_gen")}
                >
                  {(["human_gen", "anime_gen"] as const).map((each) => (
                    <MenuItem key={each} value={each}>
                      {text.generator.makes[each]}
                    </MenuItem>
                  ))}
                </TextField>
              )}
            </Box>
            <Accordion disableGutters elevation={0} sx={{ bgcolor: "transparent", "&::before": { display: "none" } }}>
              <AccordionSummary
                expandIcon={<ChevronDown size={18} />}
                sx={{ px: 0, fontFamily: "inherit", fontWeight: 600 }}
              >
                {words.more}
              </AccordionSummary>
              <AccordionDetails sx={{ display: "grid", gap: 2, px: 0 }}>
                {(["architecture", "description", "licence"] as const).map((field) => (
                  <TextField
                    key={field}
                    label={words[field]}
                    value={more[field]}
                    multiline={field === "description"}
                    onChange={(event) => setMore((before) => ({ ...before, [field]: event.target.value }))}
                  />
                ))}
              </AccordionDetails>
            </Accordion>
            {add.isPending && (
              <Box role="status">
                <Typography variant="body2" sx={{ mb: 1 }}>
                  {words.checking}
                </Typography>
                <LinearProgress sx={{ height: 6, borderRadius: 9 }} />
              </Box>
            )}
            {add.error && <ProblemAlert error={add.error} />}
          </DialogContent>
          <DialogActions sx={{ px: 3, pb: 3 }}>
            <Button onClick={leave} disabled={add.isPending}>
              {text.settings.cancel}
            </Button>
            <Button type="submit" variant="contained" disabled={!ready} loading={add.isPending}>
              {words.submit}
            </Button>
          </DialogActions>
        </Box>
      )}
    </Dialog>
  );
}
