/** The look of VisionLab: every colour, type size, radius and duration comes from here. */
import { createTheme } from "@mui/material/styles";
import type { FaceClass } from "./api/types";

/** Green speaks for real, vermilion for generated: told apart by most colour-blind people, and never without words. */
type FaceColours = Record<FaceClass, string>;

declare module "@mui/material/styles" {
  interface CssThemeVariables {
    enabled: true;
  }
  interface Palette {
    face: FaceColours;
  }
  interface PaletteOptions {
    face?: FaceColours;
  }
}

const display = '"Bricolage Grotesque Variable", "Avenir Next", system-ui, sans-serif';
const body = '"Instrument Sans Variable", system-ui, -apple-system, "Segoe UI", sans-serif';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data-color-scheme" },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: "#0e5e58", dark: "#08433f", light: "#d5e6e0", contrastText: "#fffdf8" },
        secondary: { main: "#b93a17", dark: "#8f2a0e", light: "#f8ddd2", contrastText: "#fffdf8" },
        success: { main: "#1d6b4c" },
        error: { main: "#a8281c" },
        info: { main: "#01689b" },
        background: { default: "#f4f1ea", paper: "#fffdf8" },
        text: { primary: "#1a1f1c", secondary: "#565e58" },
        divider: "rgba(26, 31, 28, 0.13)",
        face: { human: "#0e5e58", human_gen: "#b93a17", anime: "#4f9385", anime_gen: "#dd8a2b" },
      },
    },
    dark: {
      palette: {
        primary: { main: "#7fd0bf", dark: "#56b3a0", light: "#1f3a35", contrastText: "#0c1a17" },
        secondary: { main: "#ff8f66", dark: "#e0683b", light: "#45261b", contrastText: "#1d0d06" },
        info: { main: "#5cb8e6", dark: "#01689b" },
        background: { default: "#121513", paper: "#1a1e1b" },
        text: { primary: "#f0ece3", secondary: "#a9b0a9" },
        divider: "rgba(240, 236, 227, 0.14)",
        face: { human: "#7fd0bf", human_gen: "#ff8f66", anime: "#4f9385", anime_gen: "#e0a44a" },
      },
    },
  },
  // `borderRadius: n` in `sx` is n times this.
  shape: { borderRadius: 4 },
  typography: {
    fontFamily: body,
    h1: {
      fontFamily: display,
      fontWeight: 700,
      fontSize: "clamp(2.4rem, 1.4rem + 4.2vw, 4.4rem)",
      lineHeight: 1.02,
      letterSpacing: "-0.03em",
    },
    h2: {
      fontFamily: display,
      fontWeight: 650,
      fontSize: "clamp(1.6rem, 1.2rem + 1.4vw, 2.25rem)",
      lineHeight: 1.1,
      letterSpacing: "-0.02em",
    },
    h3: { fontFamily: display, fontWeight: 600, fontSize: "1.25rem", lineHeight: 1.25, letterSpacing: "-0.01em" },
    h4: { fontFamily: display, fontWeight: 600, fontSize: "1.0625rem", lineHeight: 1.3 },
    subtitle1: { fontSize: "1.125rem", lineHeight: 1.55 },
    body1: { lineHeight: 1.6 },
    body2: { lineHeight: 1.5 },
    button: { textTransform: "none", fontWeight: 600 },
    overline: { fontWeight: 600, letterSpacing: "0.09em", fontSize: "0.75rem", lineHeight: 1.6 },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        // What has the focus stays clear of the bars.
        html: {
          scrollBehavior: "smooth",
          scrollPaddingTop: 96,
          "@media (max-width: 899px)": { scrollPaddingBottom: 96 },
        },
        body: { overflowX: "clip" },
        ":focus-visible": { outline: "3px solid var(--mui-palette-secondary-main)", outlineOffset: 2 },
        "::selection": {
          background: "var(--mui-palette-secondary-main)",
          color: "var(--mui-palette-background-paper)",
        },
        "@media (prefers-reduced-motion: reduce)": {
          html: { scrollBehavior: "auto" },
          "*, *::before, *::after": {
            animationDuration: "0.01ms !important",
            // What turns for ever would flicker.
            animationIterationCount: "1 !important",
            transitionDuration: "0.01ms !important",
          },
        },
      },
    },
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: {
      defaultProps: { disableElevation: true },
      styleOverrides: {
        root: { borderRadius: 999, paddingInline: 20 },
        sizeLarge: { paddingInline: 26, paddingBlock: 12 },
      },
    },
    MuiPaper: { styleOverrides: { root: { backgroundImage: "none" } } },
    MuiCard: {
      defaultProps: { variant: "outlined" },
      styleOverrides: { root: { borderRadius: 20 } },
    },
    MuiDialog: { styleOverrides: { paper: { borderRadius: 24 } } },
    // On a phone the button goes below the words instead of squeezing them.
    MuiAlert: {
      styleOverrides: {
        root: { borderRadius: 14 },
        standard: { flexWrap: "wrap", "& .MuiAlert-message": { flex: "1 1 200px" } },
        action: { marginLeft: "auto" },
      },
    },
    MuiTooltip: { defaultProps: { arrow: true, enterDelay: 400 } },
    MuiSkeleton: { defaultProps: { animation: "wave" } },
  },
});
