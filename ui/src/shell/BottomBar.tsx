import { Box } from "@mui/material";
import { NavLink } from "react-router";
import { pages } from "../pages";
import { useText } from "../text";

/** The pages, in reach of the thumb on a phone. */
export function BottomBar() {
  const text = useText();
  return (
    <Box
      component="nav"
      aria-label={text.shell.pages}
      sx={{
        display: { xs: "grid", md: "none" },
        gridAutoFlow: "column",
        gridAutoColumns: "1fr",
        position: "sticky",
        bottom: 0,
        zIndex: "appBar",
        bgcolor: "background.paper",
        borderTop: 1,
        borderColor: "divider",
        pb: "env(safe-area-inset-bottom)",
      }}
    >
      {pages.map(({ path, name, icon: Icon }) => (
        <Box
          key={path}
          component={NavLink}
          to={path}
          end={path === "/"}
          sx={{
            display: "grid",
            justifyItems: "center",
            gap: 0.25,
            py: 1,
            color: "text.secondary",
            fontSize: "0.75rem",
            fontWeight: 550,
            textDecoration: "none",
            "& svg": { p: 0.5, boxSizing: "content-box", width: 22, height: 22, paddingInline: 2, borderRadius: 99 },
            "&.active": { color: "text.primary" },
            "&.active svg": { bgcolor: "primary.light", color: "primary.main" },
            "&:focus-visible": { outlineOffset: -4 },
          }}
        >
          <Icon aria-hidden />
          {text.shell[name]}
        </Box>
      ))}
    </Box>
  );
}
