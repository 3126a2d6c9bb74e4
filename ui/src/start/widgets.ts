export { ThemeProvider } from "@mui/material";
