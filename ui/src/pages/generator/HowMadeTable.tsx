import { Box, IconButton, Tooltip, Typography } from "@mui/material";
import { Copy } from "lucide-react";
import type { Image } from "../../api/types";
import { FaceClassDot } from "../../components/FaceClassDot";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";

/** All that a face is made of. */
export function HowMadeTable({ image }: { image: Image }) {
  const text = useText();
  const words = text.generator.large;
  const made = image.how_made;
  const rows: [string, string][] = [
    ...(made
      ? ([
          [words.model, made.model_label],
          [words.version, String(made.model_version)],
          [words.seed, String(made.seed)],
          ...(made.steps.length > 0
            ? [[words.steps, words.stepsValue(made.steps.length)] satisfies [string, string]]
            : []),
          ...(made.style ? [[words.styleOf, words.styleValue(made.style.seed)] satisfies [string, string]] : []),
          [words.variety, text.generator.varietyValue(Math.round(made.truncation * 100))],
        ] satisfies [string, string][])
      : []),
    [words.size, `${image.width} × ${image.height}`],
    [words.made, new Date(image.created_at).toLocaleString(text.language, { dateStyle: "medium", timeStyle: "short" })],
  ];
  return (
    <Box>
      {image.class_label && (
        <Typography sx={{ display: "flex", alignItems: "center", gap: 1, mb: 1.5, fontWeight: 550 }}>
          <FaceClassDot faceClass={image.class_label} />
          {text.face[image.class_label].name}
        </Typography>
      )}
      {!made && <Typography variant="body2">{words.unknown}</Typography>}
      <Box
        component="dl"
        sx={{
          m: 0,
          typography: "body2",
          "& > div": {
            display: "flex",
            justifyContent: "space-between",
            alignItems: "center",
            gap: 2,
            minHeight: 36,
            borderTop: 1,
            borderColor: "divider",
          },
          "& dt": { color: "text.secondary" },
          "& dd": {
            m: 0,
            fontWeight: 550,
            fontVariantNumeric: "tabular-nums",
            textAlign: "right",
            overflowWrap: "anywhere",
          },
        }}
      >
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              {name === words.seed && <CopySeed seed={value} />}
            </dd>
          </div>
        ))}
      </Box>
    </Box>
  );
}

function CopySeed({ seed }: { seed: string }) {
  const text = useText();
  const say = useNotice();
  return (
    <Tooltip title={text.generator.large.copySeed}>
      <IconButton
        size="small"
        aria-label={text.generator.large.copySeed}
        sx={{ ml: 0.5, my: -0.5 }}
        onClick={() => void navigator.clipboard.writeText(seed).then(() => say(text.generator.large.seedCopied))}
      >
        <Copy size={15} />
      </IconButton>
    </Tooltip>
  );
}
