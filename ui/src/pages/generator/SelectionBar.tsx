import { Box, Button, IconButton, Paper, Tooltip, Typography } from "@mui/material";
import { Blend, Download, X } from "lucide-react";
import { useArchive } from "../../api/images";
import { problemText } from "../../components/problemText";
import { useNotice } from "../../shell/notice";
import { useText } from "../../text";
import { saveBlob } from "./download";

/** What one archive may hold; the server's own bound. */
const MOST = 1000;

interface SelectionBarProps {
  /** uuids, in the order of the gallery */
  chosen: string[];
  onAll: () => void;
  onClear: () => void;
  /** Mix the styles of the two that are selected; undefined where that cannot be. */
  onMix: (() => void) | undefined;
}

/** What can be done with the selected faces. */
export function SelectionBar({ chosen, onAll, onClear, onMix }: SelectionBarProps) {
  const text = useText();
  const say = useNotice();
  const archive = useArchive();
  const pack = () =>
    archive.mutate(chosen, {
      onSuccess: (zip) => {
        saveBlob(zip, text.generator.zipName(chosen.length));
        say(text.generator.zipDone(chosen.length));
        onClear();
      },
      onError: (error) => say(problemText(error, text).detail, "error"),
    });
  return (
    <Paper
      role="toolbar"
      aria-label={text.generator.selection}
      elevation={12}
      sx={{
        position: "fixed",
        zIndex: "speedDial",
        left: "50%",
        transform: "translateX(-50%)",
        bottom: { xs: "calc(72px + env(safe-area-inset-bottom))", md: 24 },
        display: "flex",
        alignItems: "center",
        gap: 1,
        width: { xs: "calc(100% - 24px)", sm: "auto" },
        pl: 1,
        pr: 1,
        py: 1,
        borderRadius: 99,
        border: 1,
        borderColor: "divider",
      }}
    >
      <Tooltip title={text.generator.clear}>
        <IconButton size="small" aria-label={text.generator.clear} onClick={onClear}>
          <X size={20} />
        </IconButton>
      </Tooltip>
      <Typography role="status" variant="body2" noWrap sx={{ fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
        {text.generator.selected(chosen.length)}
      </Typography>
      <Button size="small" onClick={onAll} sx={{ display: { xs: "none", sm: "inline-flex" } }}>
        {text.generator.selectAll}
      </Button>
      <Box sx={{ flex: 1, minWidth: { sm: 24 } }} />
      {onMix && (
        <Button variant="outlined" size="small" startIcon={<Blend size={18} />} onClick={onMix}>
          {text.generator.mix.mix}
        </Button>
      )}
      <Button
        variant="contained"
        size="small"
        loading={archive.isPending}
        loadingPosition="start"
        startIcon={<Download size={18} />}
        disabled={chosen.length === 0 || chosen.length > MOST}
        title={chosen.length > MOST ? text.generator.zipTooMany(MOST) : undefined}
        onClick={pack}
        sx={{ whiteSpace: "nowrap" }}
      >
        {text.generator.zip(chosen.length)}
      </Button>
    </Paper>
  );
}
