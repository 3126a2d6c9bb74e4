import { IconButton } from "@mui/material";
import { useColorScheme } from "@mui/material/styles";
import { Moon, Sun } from "lucide-react";
import { Hint } from "../components/Hint";
import { useText } from "../text";

/** Light or dark. Until it is pressed the page follows the system. */
export function ColorSchemeToggle() {
  const text = useText();
  const { colorScheme, setMode } = useColorScheme();
  const dark = colorScheme === "dark";
  const label = dark ? text.shell.toLight : text.shell.toDark;
  return (
    <Hint words={label}>
      <IconButton aria-label={label} color="inherit" onClick={() => setMode(dark ? "light" : "dark")}>
        {dark ? <Sun size={20} /> : <Moon size={20} />}
      </IconButton>
    </Hint>
  );
}
