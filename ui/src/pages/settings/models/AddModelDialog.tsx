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
  MenuItem,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
  Typography,
} from "@mui/material";
import { ChevronDown, ScanFace, Sparkles } from "lucide-react";
import { useState } from "react";
import { useAddModel, useModelOptions } from "../../../api/models";
import { isPassing, ProblemError } from "../../../api/problem";
import { FACE_CLASSES, type FaceClass, type ModelType } from "../../../api/types";
import { useUpload } from "../../../api/uploads";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { ClassOrder } from "./ClassOrder";
import { fileKind } from "./fileKind";
import { ModelAdded } from "./ModelAdded";
import { ModelFile } from "./ModelFile";
import type { ModelGroup } from "./modelGroups";
import { labelFrom, NAME, nameFrom } from "./nameFrom";
import { architectureIn, defaultsOf, networkFaults, networkOf, type NetworkValues, optionsOf } from "./network";
import { NetworkFields } from "./NetworkFields";
import { Trying } from "./Trying";

const NEW = "new";

/** A model that was trained elsewhere. The file is on its way while the person still fills in the rest. */
export function AddModelDialog({ all, onClose }: { all: ModelGroup[]; onClose: () => void }) {
  const text = useText();
  const words = text.settings.upload;
  const upload = useUpload();
  const add = useAddModel();
  const options = useModelOptions();
  const [file, setFile] = useState<File | null>(null);
  const [type, setType] = useState<ModelType>("detector");
  const [as, setAs] = useState(NEW);
  const [name, setName] = useState("");
  const [label, setLabel] = useState("");
  const [faceClass, setFaceClass] = useState<"human_gen" | "anime_gen">("human_gen");
  const [classes, setClasses] = useState<readonly FaceClass[]>(FACE_CLASSES);
  const [architecture, setArchitecture] = useState("");
  const [values, setValues] = useState<NetworkValues>({});
  const [more, setMore] = useState({ description: "", licence: "" });

  const weights = file !== null && fileKind(file.name) === "weights";
  const option = optionsOf(options.data, type).find((each) => each.name === architecture);
  const successorOf = all.find((group) => group.uuid === as);
  const wantedName = successorOf?.shown.name ?? name;
  const nameFits = NAME.test(wantedName);
  const refused = add.error instanceof ProblemError ? add.error.problem?.field : undefined;
  const missing =
    upload.phase === "none"
      ? words.missing.file
      : weights && !option
        ? words.missing.architecture
        : weights && Object.keys(networkFaults(option, values, text)).length > 0
          ? words.missing.network
          : !nameFits
            ? words.missing.name
            : upload.phase !== "sent" || upload.upload === null
              ? words.missing.upload
              : null;

  const choose = (next: ModelType, wanted = "") => {
    if (next !== type) setAs(NEW);
    setType(next);
    // What a person wrote about an ONNX file is a word for people: it stays.
    if (!weights && !wanted) return;
    setArchitecture(wanted);
    setValues(defaultsOf(optionsOf(options.data, next).find((each) => each.name === wanted)));
  };
  const take = (chosen: File) => {
    setFile(chosen);
    add.reset();
    if (name === "") setName(nameFrom(chosen.name));
    if (label === "") setLabel(labelFrom(chosen.name));
    const told = fileKind(chosen.name) === "weights" ? architectureIn(chosen.name, options.data) : undefined;
    if (told && !option) choose(told.type, told.name);
    upload.start(chosen);
  };
  const leave = () => {
    if (add.isPending) return;
    if (!add.isSuccess) upload.drop();
    onClose();
  };
  const submit = () => {
    if (missing !== null || upload.upload === null || add.isPending) return;
    const { description, licence } = more;
    add.mutate(
      {
        upload: upload.upload,
        type,
        name: wantedName,
        ...(label && { label }),
        ...(successorOf && { model: successorOf.uuid }),
        ...(type === "generator" ? { face_class: faceClass } : { classes: [...classes] }),
        ...(architecture && { architecture }),
        ...(weights && { network: networkOf(option, values) }),
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
                if (next !== null) choose(next);
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
            <ModelFile
              file={file}
              upload={upload}
              hint={type === "detector" ? words.tensorsDetector : words.tensorsGenerator}
              most={options.data?.most_bytes}
              noWeights={options.data?.reason}
              onFile={take}
            />
            {weights && (
              <NetworkFields
                options={options}
                type={type}
                architecture={architecture}
                values={values}
                refused={refused}
                onChange={(chosen, typed) => {
                  setArchitecture(chosen);
                  setValues(typed);
                  add.reset();
                }}
              />
            )}
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
                  error={(name !== "" && !nameFits) || refused === "name"}
                  helperText={words.nameHint}
                  onChange={(event) => {
                    setName(event.target.value);
                    if (refused === "name") add.reset();
                  }}
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
                {type === "detector" && <ClassOrder order={classes} onChange={setClasses} />}
                {!weights && (
                  <TextField
                    label={words.architecture}
                    value={architecture}
                    onChange={(event) => setArchitecture(event.target.value)}
                    slotProps={{ htmlInput: { maxLength: 64 } }}
                  />
                )}
                {(["description", "licence"] as const).map((field) => (
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
            {add.isPending && <Trying>{weights ? words.converting : words.checking}</Trying>}
            {add.error && <ProblemAlert error={add.error} />}
            {add.error && isPassing(add.error) && <Typography variant="body2">{words.perhapsThere}</Typography>}
          </DialogContent>
          <DialogActions sx={{ px: 3, pb: 3, flexWrap: "wrap", justifyContent: "flex-end" }}>
            {missing !== null && (
              <Typography id="add-model-missing" variant="body2" color="textSecondary" sx={{ flex: "1 1 180px" }}>
                {missing}
              </Typography>
            )}
            <Button onClick={leave} disabled={add.isPending}>
              {text.settings.cancel}
            </Button>
            <Button type="submit" variant="contained" disabled={missing !== null} loading={add.isPending}>
              {words.submit}
            </Button>
          </DialogActions>
        </Box>
      )}
    </Dialog>
  );
}
