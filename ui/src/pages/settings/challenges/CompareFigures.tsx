import { Box, Typography } from "@mui/material";
import { type Challenge, type Comparison, type DetectorMetrics, FACE_CLASSES } from "../../../api/types";
import { FaceClassDot } from "../../../components/FaceClassDot";
import { useText } from "../../../text";
import { ConfusionMatrix } from "../../../components/ConfusionMatrix";
import { percent, points, score } from "../../../numbers";

interface CompareFiguresProps {
  challenge: Challenge;
  comparison: Comparison;
}

/** Both versions on the same pictures. */
export function CompareFigures({ challenge, comparison }: CompareFiguresProps) {
  const text = useText();
  const words = text.settings.challenge;
  const { champion, challenger, gain } = comparison;
  const lang = text.language;
  return (
    <Box sx={{ display: "grid", gap: 3 }}>
      <Box
        sx={{
          display: "grid",
          gap: 2,
          alignItems: "stretch",
          gridTemplateColumns: { xs: "repeat(2, minmax(0, 1fr))", sm: "repeat(3, minmax(0, 1fr))" },
        }}
      >
        <Side
          title={words.champion}
          version={challenge.champion_version}
          balanced={comparison.champion_balanced_accuracy}
          accuracy={champion.accuracy}
        />
        <Side
          title={words.challenger}
          version={challenge.challenger_version}
          balanced={comparison.challenger_balanced_accuracy}
          accuracy={challenger.accuracy}
          strong
        />
        <Box sx={{ gridColumn: { xs: "1 / -1", sm: "auto" }, p: 2 }}>
          <Typography variant="body2" color="textSecondary">
            {words.gain}
          </Typography>
          <Typography variant="h2" component="p" sx={{ fontVariantNumeric: "tabular-nums" }}>
            {points(gain.value, lang)}
          </Typography>
          <Typography variant="body2" color="textSecondary">
            {words.interval(
              points(gain.low, lang),
              points(gain.high, lang),
              gain.confidence.toLocaleString(lang, { style: "percent" }),
            )}
          </Typography>
        </Box>
      </Box>
      <Dumbbells champion={champion} challenger={challenger} />
      <Box>
        <Typography variant="h4" component="h4" sx={{ mb: 1 }}>
          {words.confusion}
        </Typography>
        <Box
          sx={{
            display: "grid",
            gap: 3,
            gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" },
          }}
        >
          {(
            [
              [words.champion, champion],
              [words.challenger, challenger],
            ] as const
          ).map(([title, metrics]) => (
            <div key={title}>
              <Typography variant="body2" color="textSecondary">
                {title}
              </Typography>
              <ConfusionMatrix confusion={metrics.confusion} label={`${words.confusion}: ${title}`} />
            </div>
          ))}
        </Box>
      </Box>
      <Agreement comparison={comparison} />
    </Box>
  );
}

interface SideProps {
  title: string;
  version: number | null;
  balanced: number;
  accuracy: number;
  strong?: boolean;
}

function Side({ title, version, balanced, accuracy, strong = false }: SideProps) {
  const text = useText();
  const words = text.settings.challenge;
  return (
    <Box sx={{ p: 2, borderRadius: 4, bgcolor: strong ? "primary.light" : "action.hover" }}>
      <Typography variant="body2" sx={{ fontWeight: 650 }}>
        {title}
        {version !== null && (
          <Box component="span" sx={{ fontWeight: 400, color: "text.secondary" }}>{` · ${words.version(version)}`}</Box>
        )}
      </Typography>
      <Typography variant="h2" component="p" sx={{ fontVariantNumeric: "tabular-nums", my: 0.25 }}>
        {percent(balanced, text.language)}
      </Typography>
      <Typography variant="body2" color="textSecondary">
        {words.balanced}
      </Typography>
      <Typography variant="body2" color="textSecondary">
        {words.accuracy} {percent(accuracy, text.language)}
      </Typography>
    </Box>
  );
}

/** F1 of each class: a hollow dot for the champion, a full one for the challenger, on one line. */
function Dumbbells({ champion, challenger }: { champion: DetectorMetrics; challenger: DetectorMetrics }) {
  const text = useText();
  const words = text.settings.challenge;
  return (
    <Box>
      <Typography variant="h4" component="h4" sx={{ mb: 1 }}>
        {words.f1}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 1.25, typography: "body2" }}>
        {FACE_CLASSES.map((faceClass) => {
          const before = champion.classes[faceClass];
          const after = challenger.classes[faceClass];
          if (!before || !after || before.support === 0) return null;
          const { short } = text.face[faceClass];
          return (
            <Box
              component="li"
              key={faceClass}
              sx={{
                display: "grid",
                gridTemplateColumns: { xs: "8.5em 1fr", sm: "11em 1fr 7em" },
                gap: 1.5,
                alignItems: "center",
              }}
            >
              <Box component="span" sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
                <FaceClassDot faceClass={faceClass} />
                {short}
              </Box>
              <Box
                role="img"
                aria-label={words.f1Row(short, score(before.f1), score(after.f1))}
                sx={{ position: "relative", height: 16, mx: 1 }}
              >
                <Box sx={{ position: "absolute", inset: "7px -8px", borderRadius: 9, bgcolor: "action.hover" }} />
                <Box
                  sx={{ position: "absolute", top: 6, height: 4, bgcolor: `face.${faceClass}`, opacity: 0.45 }}
                  style={{
                    left: `${Math.min(before.f1, after.f1) * 100}%`,
                    width: `${Math.abs(before.f1 - after.f1) * 100}%`,
                  }}
                />
                <Mark at={before.f1} sx={{ bgcolor: "background.paper", borderColor: "text.secondary" }} />
                <Mark at={after.f1} sx={{ bgcolor: `face.${faceClass}`, borderColor: `face.${faceClass}` }} />
              </Box>
              <Box
                component="span"
                aria-hidden
                sx={{ display: { xs: "none", sm: "block" }, textAlign: "right", fontVariantNumeric: "tabular-nums" }}
              >
                {`${score(before.f1)} → ${score(after.f1)}`}
              </Box>
            </Box>
          );
        })}
      </Box>
    </Box>
  );
}

function Mark({ at, sx }: { at: number; sx: { bgcolor: string; borderColor: string } }) {
  return (
    <Box
      sx={{ position: "absolute", top: 1, width: 14, height: 14, ml: "-7px", borderRadius: 9, border: 2.5, ...sx }}
      style={{ left: `${at * 100}%` }}
    />
  );
}

function Agreement({ comparison }: { comparison: Comparison }) {
  const text = useText();
  const words = text.settings.challenge;
  const { both_right, only_challenger, only_champion, both_wrong } = comparison.agreement;
  const parts = [
    [words.bothRight, both_right, "face.anime"],
    [words.onlyChallenger, only_challenger, "primary.main"],
    [words.onlyChampion, only_champion, "secondary.main"],
    [words.bothWrong, both_wrong, "text.disabled"],
  ] as const;
  return (
    <Box>
      <Typography variant="h4" component="h4" sx={{ mb: 1 }}>
        {words.agreement}
      </Typography>
      <Box aria-hidden sx={{ display: "flex", gap: "3px", height: 14, borderRadius: 9, overflow: "hidden" }}>
        {parts.map(([name, n, colour]) => n > 0 && <Box key={name} sx={{ bgcolor: colour }} style={{ flexGrow: n }} />)}
      </Box>
      <Box
        component="ul"
        sx={{
          listStyle: "none",
          m: 0,
          mt: 1,
          p: 0,
          display: "flex",
          flexWrap: "wrap",
          columnGap: 2.5,
          typography: "body2",
        }}
      >
        {parts.map(([name, n, colour]) => (
          <Box component="li" key={name} sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
            <Box component="span" aria-hidden sx={{ width: 10, height: 10, borderRadius: "3px", bgcolor: colour }} />
            {name}
            <Box component="span" sx={{ fontWeight: 650, fontVariantNumeric: "tabular-nums" }}>
              {n.toLocaleString(text.language)}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
