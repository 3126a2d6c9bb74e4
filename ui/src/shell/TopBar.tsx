import { AppBar, Box, Stack, Toolbar } from "@mui/material";
import { Link, NavLink } from "react-router";
import { pages } from "../pages";
import { useText } from "../text";
import { Account } from "./Account";
import { ColorSchemeToggle } from "./ColorSchemeToggle";
import { LanguageSwitch } from "./LanguageSwitch";
import { Logo } from "./Logo";

/** The name, the pages (on wide screens) and the switch of colours. */
export function TopBar() {
  const text = useText();
  return (
    <AppBar
      position="sticky"
      color="transparent"
      elevation={0}
      sx={{
        backdropFilter: "blur(14px)",
        backgroundColor: "color-mix(in srgb, var(--mui-palette-background-default) 82%, transparent)",
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <Toolbar sx={{ px: { xs: 2, sm: 3, lg: 5 }, gap: 2, maxWidth: "xl", width: "100%", mx: "auto" }} disableGutters>
        <Box
          component={Link}
          to="/"
          aria-label={text.name}
          sx={{
            display: "flex",
            alignItems: "center",
            gap: 1.25,
            color: "text.primary",
            textDecoration: "none",
            borderRadius: 2,
          }}
        >
          <Logo size={32} />
          <Box component="span" sx={{ typography: "h3", fontWeight: 700 }}>
            {text.name}
          </Box>
        </Box>
        <Stack
          component="nav"
          aria-label={text.shell.pages}
          direction="row"
          sx={{ display: { xs: "none", md: "flex" }, gap: 0.5, ml: 4 }}
        >
          {pages.map(({ path, name }) => (
            <Box
              key={path}
              component={NavLink}
              to={path}
              end={path === "/"}
              sx={{
                px: 1.75,
                py: 0.875,
                borderRadius: 99,
                color: "text.secondary",
                fontWeight: 550,
                fontSize: "0.9375rem",
                textDecoration: "none",
                transition: "background-color .15s, color .15s",
                "&:hover": { color: "text.primary", bgcolor: "action.hover" },
                "&.active": { color: "text.primary", bgcolor: "action.selected" },
              }}
            >
              {text.shell[name]}
            </Box>
          ))}
        </Stack>
        <Box sx={{ flex: 1 }} />
        <Stack direction="row">
          <Account />
          <LanguageSwitch />
          <ColorSchemeToggle />
        </Stack>
      </Toolbar>
    </AppBar>
  );
}
