import { createContext, use } from "react";
import { readPreference } from "../preferences";
import { en, type Text } from "./en";
import type { trainings } from "./enTrainings";
import { merged, type Part } from "./merge";

export type { Text } from "./en";

interface Language {
  /** What it calls itself. */
  name: string;
  load: () => Promise<Text>;
  /** What the pages of trainings say, as far as it differs from English. */
  loadTrainings: () => Promise<Part<typeof trainings>>;
}

/** The languages there are, by their BCP 47 tag. English is always there, others on demand. */
export const languages: Record<string, Language> = {
  en: { name: "English", load: () => Promise.resolve(en), loadTrainings: () => Promise.resolve({}) },
  zh: {
    name: "中文",
    load: async () => merged(en, (await import("./zh")).zh),
    loadTrainings: async () => (await import("./zhTrainings")).trainings,
  },
};

/** What was chosen here, else the first of the person's languages that VisionLab speaks. */
export function preferredLanguage(wanted: readonly string[] = navigator.languages): string {
  for (const tag of [readPreference<string>("language", ""), ...wanted]) {
    const found = [tag, tag.split("-")[0] ?? ""].find((each) => each in languages);
    if (found) return found;
  }
  return "en";
}

/** English where the language does not arrive. */
export function loadText(language: string): Promise<Text> {
  return (languages[language]?.load() ?? Promise.resolve(en)).catch(() => en);
}

export const TextContext = createContext<Text>(en);

/** What the page says, in the person's language. */
export function useText(): Text {
  return use(TextContext);
}

export const LanguageContext = createContext<(language: string) => void>(() => undefined);

/** Changes the language, and remembers it in this browser. */
export function useSetLanguage(): (language: string) => void {
  return use(LanguageContext);
}
