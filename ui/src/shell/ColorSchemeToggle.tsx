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
      <button
        type="button"
        className="top-bar-button"
        aria-label={label}
        onClick={() => setMode(dark ? "light" : "dark")}
      >
        {dark ? <Sun size={20} /> : <Moon size={20} />}
      </button>
    </Hint>
  );
}
