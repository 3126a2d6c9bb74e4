import { Box, Link } from "@mui/material";
import { useStatus } from "../api/status";
import { projectSite } from "../links";
import { useText } from "../text";

/** How the system is, and where the project lives. */
export function Footer() {
  const text = useText();
  const { data: status } = useStatus();
  return (
    <Box
      component="footer"
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        columnGap: 3,
        rowGap: 1,
        maxWidth: "xl",
        width: "100%",
        mx: "auto",
        px: { xs: 2, sm: 3, lg: 5 },
        py: 3,
        color: "text.secondary",
        typography: "body2",
      }}
    >
      {status && (
        <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
          <Box
            component="span"
            sx={{ width: 8, height: 8, borderRadius: 9, bgcolor: status.ready ? "face.anime" : "face.anime_gen" }}
          />
          {status.ready ? text.shell.ready : text.shell.notReady}
        </Box>
      )}
      {status && <span>{text.shell.version(status.version)}</span>}
      <Box sx={{ flex: 1 }} />
      {projectSite && (
        <Link href={projectSite} target="_blank" rel="noreferrer" color="inherit" title={text.shell.opensElsewhere}>
          {text.shell.project}
        </Link>
      )}
    </Box>
  );
}
