import { Box, Button, Drawer, IconButton, Link, Tooltip, Typography } from "@mui/material";
import { ExternalLink, Trash2, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useText } from "../../../text";
import { compact } from "../../../numbers";
import { DetectorFigures } from "./DetectorFigures";
import { detectorFigures, generatorFigures } from "./figures";
import { GeneratorFigures } from "./GeneratorFigures";
import { ensemblesOn, type ModelGroup } from "./modelGroups";
import { ModelPicture } from "./ModelPicture";
import { ModelState } from "./ModelState";
import { RemoveDialog } from "./RemoveDialog";
import { Versions } from "./Versions";

interface ModelSheetProps {
  /** Undefined: closed. */
  group: ModelGroup | undefined;
  all: ModelGroup[];
  mayChange: boolean;
  onOpen: (uuid: string) => void;
  onClose: () => void;
}

/** All that is known of a model, beside the list. */
export function ModelSheet({ group, all, mayChange, onOpen, onClose }: ModelSheetProps) {
  return (
    <Drawer
      anchor="right"
      open={group !== undefined}
      onClose={onClose}
      slotProps={{
        paper: {
          role: "dialog",
          "aria-modal": true,
          "aria-labelledby": "model-sheet-title",
          sx: { width: "min(560px, 100vw)", p: { xs: 2, sm: 3.5 }, borderRadius: { sm: "24px 0 0 24px" } },
        },
      }}
    >
      {group && (
        <Sheet key={group.uuid} group={group} all={all} mayChange={mayChange} onOpen={onOpen} onClose={onClose} />
      )}
    </Drawer>
  );
}

function Sheet({ group, all, mayChange, onOpen, onClose }: ModelSheetProps & { group: ModelGroup }) {
  const text = useText();
  const words = text.settings.model;
  const [removing, setRemoving] = useState(false);
  const { shown } = group;
  const measured = detectorFigures(shown).length + generatorFigures(shown).length > 0;
  const bases = shown.base_models.map((uuid) => all.find((other) => other.uuid === uuid));
  const above = ensemblesOn(group, all);
  return (
    <Box sx={{ display: "grid", gap: 4 }}>
      <Box>
        <Box sx={{ display: "flex", gap: 2, alignItems: "flex-start" }}>
          <ModelPicture model={shown} size={88} />
          <Box sx={{ flex: 1, minWidth: 0 }}>
            <Typography variant="h3" component="h2" id="model-sheet-title" sx={{ overflowWrap: "anywhere" }}>
              {shown.label}
            </Typography>
            <Typography variant="body2" component="p" sx={{ mt: 0.5 }}>
              <ModelState state={shown.state} />
            </Typography>
          </Box>
          <Tooltip title={text.settings.close}>
            {/* A dialog's first focus should not be on what destroys. */}
            <IconButton aria-label={text.settings.close} onClick={onClose} sx={{ mt: -0.5, mr: -0.5 }}>
              <X size={22} />
            </IconButton>
          </Tooltip>
        </Box>
        <Typography color="textSecondary" sx={{ mt: 2, overflowWrap: "anywhere" }}>
          {shown.description}
        </Typography>
        {shown.state === "failed" && (
          <Typography color="error" sx={{ mt: 1, overflowWrap: "anywhere" }}>
            {shown.reason} {words.retried}
          </Typography>
        )}
      </Box>

      <Section title={words.figures}>
        {shown.type === "detector" ? <DetectorFigures model={shown} /> : <GeneratorFigures model={shown} />}
        {!measured && <Typography color="textSecondary">{words.noFiguresUploaded}</Typography>}
        {shown.report && (
          <Button
            href={shown.report}
            target="_blank"
            rel="noreferrer"
            variant="outlined"
            endIcon={<ExternalLink size={16} />}
            title={text.shell.opensElsewhere}
            sx={{ mt: 2.5 }}
          >
            {words.report}
          </Button>
        )}
      </Section>

      {(bases.length > 0 || above.length > 0) && (
        <Section title={words.ensemble}>
          {bases.length > 0 && <Related title={words.standsOn} groups={bases} onOpen={onOpen} />}
          {above.length > 0 && <Related title={words.usedBy} groups={above} onOpen={onOpen} />}
        </Section>
      )}

      <Section title={words.versions}>
        <Versions group={group} mayChange={mayChange} />
      </Section>

      <Section title={words.about}>
        <Box
          component="dl"
          sx={{
            m: 0,
            typography: "body2",
            "& > div": {
              display: "flex",
              justifyContent: "space-between",
              gap: 3,
              py: 1,
              borderTop: 1,
              borderColor: "divider",
            },
            "& dt": { color: "text.secondary" },
            "& dd": { m: 0, fontWeight: 550, textAlign: "right", overflowWrap: "anywhere", minWidth: 0 },
          }}
        >
          {facts(group, text).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </Box>
        {shown.limitations.length > 0 && (
          <>
            <Typography variant="h4" component="h4" sx={{ mt: 2.5, mb: 0.5 }}>
              {words.limitations}
            </Typography>
            <Box
              component="ul"
              sx={{ m: 0, pl: 2.5, color: "text.secondary", typography: "body2", "& li": { mb: 0.5 } }}
            >
              {shown.limitations.map((limitation) => (
                <li key={limitation}>{limitation}</li>
              ))}
            </Box>
          </>
        )}
      </Section>

      {mayChange && (
        <Button
          color="error"
          startIcon={<Trash2 size={18} />}
          onClick={() => setRemoving(true)}
          sx={{ justifySelf: "start", ml: -1.5 }}
        >
          {words.remove}
        </Button>
      )}
      {removing && <RemoveDialog group={group} onClose={() => setRemoving(false)} onRemoved={onClose} />}
    </Box>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Typography variant="overline" component="h3" color="secondary" sx={{ display: "block", mb: 1 }}>
        {title}
      </Typography>
      {children}
    </section>
  );
}

interface RelatedProps {
  title: string;
  groups: (ModelGroup | undefined)[];
  onOpen: (uuid: string) => void;
}

function Related({ title, groups, onOpen }: RelatedProps) {
  const text = useText();
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        gap: 1,
        alignItems: "baseline",
        typography: "body2",
        "& + &": { mt: 1 },
      }}
    >
      <Box component="span" sx={{ color: "text.secondary", mr: 0.5 }}>
        {title}
      </Box>
      {groups.map((group, n) =>
        group ? (
          <Link
            key={group.uuid}
            component="button"
            type="button"
            onClick={() => onOpen(group.uuid)}
            sx={{ fontWeight: 600 }}
          >
            {group.shown.label}
          </Link>
        ) : (
          <span key={n}>{text.settings.model.gone}</span>
        ),
      )}
    </Box>
  );
}

function facts({ shown }: ModelGroup, text: ReturnType<typeof useText>): [string, string][] {
  const words = text.settings.model;
  return [
    [words.architecture, shown.architecture],
    ...(shown.face_class ? ([[words.makes, text.face[shown.face_class].name]] satisfies [string, string][]) : []),
    [words.parameters, compact(shown.parameters, text.language)],
    [words.licence, shown.licence],
  ];
}
