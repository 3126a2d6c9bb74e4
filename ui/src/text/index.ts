import { createContext, use } from "react";
import { en, type Text } from "./en";

export type { Text } from "./en";

/** The languages there are, by their BCP 47 tag. */
export const languages: Record<string, Text> = { en };

/** The first of the person's languages that VisionLab speaks. */
export function preferredText(wanted: readonly string[] = navigator.languages): Text {
  for (const tag of wanted) {
    const text = languages[tag] ?? languages[tag.split("-")[0] ?? ""];
    if (text) return text;
  }
  return en;
}

export const TextContext = createContext<Text>(en);

/** What the page says, in the person's language. */
export function useText(): Text {
  return use(TextContext);
}
