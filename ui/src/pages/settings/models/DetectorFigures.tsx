import { Box, Button, ToggleButton, ToggleButtonGroup, Typography } from "@mui/material";
import { useState } from "react";
import { type DetectorMetrics, FACE_CLASSES, type Model } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useText } from "../../../text";
import { ConfusionMatrix } from "../../../components/ConfusionMatrix";
import { percent, score } from "../../../numbers";
import { detectorFigures } from "./figures";
import { Figure, Figures } from "./KeyFigures";

const HARDEST = 8;

/** How good a detector is, split by split. */
export function DetectorFigures({ model }: { model: Model }) {
  const text = useText();
  const words = text.settings.model;
  const splits = detectorFigures(model);
  const [chosen, setChosen] = useState<string | null>(null);
  const [split, metrics] = splits.find(([name]) => name === chosen) ?? splits[0] ?? [];
  if (split === undefined || !metrics) return null;
  return (
    <Box sx={{ display: "grid", gap: 2.5 }}>
      {splits.length > 1 && (
        <ToggleButtonGroup
          exclusive
          size="small"
          color="primary"
          value={split}
          aria-label={words.figures}
          onChange={(_event, next: string | null) => next !== null && setChosen(next)}
          sx={{ justifySelf: "start", "& button": { textTransform: "none", px: 2, borderRadius: 99 } }}
        >
          {splits.map(([name]) => (
            <ToggleButton key={name} value={name}>
              {words.splits[name] ?? name}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      )}
      <Figures>
        <Figure name={words.accuracy}>{percent(metrics.accuracy, text.language)}</Figure>
        <Figure name={words.sourceMean}>{percent(metrics.source_mean, text.language)}</Figure>
        <Figure name={words.realOrGenerated}>{percent(metrics.real_or_generated_accuracy, text.language)}</Figure>
      </Figures>
      <Typography variant="body2" color="textSecondary">
        {words.measuredOn(metrics.images)}
      </Typography>
      <ClassTable metrics={metrics} />
      <div>
        <Typography variant="h4" component="h4">
          {words.confusion}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
          {words.confusionHint}
        </Typography>
        <ConfusionMatrix
          confusion={metrics.confusion}
          label={words.confusionOf(model.label, words.splits[split] ?? split)}
        />
      </div>
      <Sources metrics={metrics} />
    </Box>
  );
}

function ClassTable({ metrics }: { metrics: DetectorMetrics }) {
  const text = useText();
  const words = text.settings.model;
  return (
    <Box
      component="table"
      sx={{
        width: 1,
        borderCollapse: "collapse",
        typography: "body2",
        fontVariantNumeric: "tabular-nums",
        "& th, & td": { p: 0, py: 0.75, textAlign: "right", borderTop: 1, borderColor: "divider", fontWeight: 400 },
        "& th:first-of-type": { textAlign: "left" },
        "& thead th": { color: "text.secondary", border: 0 },
        "& td:last-of-type": { fontWeight: 650 },
      }}
    >
      <thead>
        <tr>
          <th scope="col">{words.faceClass}</th>
          <th scope="col">{words.precision}</th>
          <th scope="col">{words.recall}</th>
          <th scope="col">{words.f1}</th>
        </tr>
      </thead>
      <tbody>
        {FACE_CLASSES.map((faceClass) => {
          const each = metrics.classes[faceClass];
          return (
            each && (
              <tr key={faceClass}>
                <th scope="row">
                  <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
                    <FaceClassDot faceClass={faceClass} />
                    {text.face[faceClass].short}
                  </Box>
                </th>
                <td>{score(each.precision)}</td>
                <td>{score(each.recall)}</td>
                <td>{score(each.f1)}</td>
              </tr>
            )
          );
        })}
      </tbody>
    </Box>
  );
}

/** The hardest first. */
function Sources({ metrics }: { metrics: DetectorMetrics }) {
  const text = useText();
  const words = text.settings.model;
  const sources = Object.entries(metrics.sources).toSorted(([, a], [, b]) => a.accuracy - b.accuracy);
  const [all, setAll] = useState(false);
  if (sources.length < 2) return null;
  return (
    <div>
      <Typography variant="h4" component="h4" sx={{ mb: 1 }}>
        {words.sources}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 0.75, typography: "body2" }}>
        {(all ? sources : sources.slice(0, HARDEST)).map(([name, source]) => (
          <Box
            component="li"
            key={name}
            sx={{ display: "grid", gridTemplateColumns: "minmax(0, 9.5em) 1fr 3.6em", gap: 1.5, alignItems: "center" }}
          >
            <Box component="span" sx={{ display: "flex", alignItems: "center", gap: 0.75, minWidth: 0 }}>
              <FaceClassDot faceClass={source.face_class} />
              <Box
                component="span"
                sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
                title={name}
              >
                {name.slice(name.indexOf("/") + 1)}
              </Box>
            </Box>
            <Box aria-hidden sx={{ height: 8, borderRadius: 9, bgcolor: "action.hover" }}>
              <Box
                sx={{ height: 1, borderRadius: 9, bgcolor: `face.${source.face_class}` }}
                style={{ width: `${source.accuracy * 100}%` }}
              />
            </Box>
            <Box component="span" sx={{ textAlign: "right", fontVariantNumeric: "tabular-nums" }}>
              {percent(source.accuracy, text.language)}
            </Box>
          </Box>
        ))}
      </Box>
      {!all && sources.length > HARDEST && (
        <Button size="small" onClick={() => setAll(true)} sx={{ mt: 1, ml: -1.25 }}>
          {words.allSources(sources.length)}
        </Button>
      )}
    </div>
  );
}
