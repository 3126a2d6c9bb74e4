import { Languages } from "lucide-react";
import { Hint } from "../components/Hint";
import { languages, useSetLanguage, useText } from "../text";

/** To the next language; its name is said in that language, as only its readers need it. */
export function LanguageSwitch() {
  const text = useText();
  const setLanguage = useSetLanguage();
  const tags = Object.keys(languages);
  const next = tags[(tags.indexOf(text.language) + 1) % tags.length] ?? "en";
  const label = text.shell.toLanguage;
  return (
    <Hint words={label}>
      <button type="button" className="top-bar-button" aria-label={label} onClick={() => setLanguage(next)}>
        <Languages size={20} />
      </button>
    </Hint>
  );
}
