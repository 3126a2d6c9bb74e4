import { use, useMemo } from "react";
import type { Text } from "./en";
import type { trainings } from "./enTrainings";
import { languages, useText } from "./index";
import { merged } from "./merge";

/** Everything that VisionLab says on the pages of trainings. */
export type TrainingsText = Text & { trainings: typeof trainings };

const arriving = new Map<string, Promise<typeof trainings>>();

/** The words of these pages come with the first of them. Until they are there, the component waits (`Suspense`). */
export function useTrainingsText(): TrainingsText {
  const text = useText();
  const words = use(loadTrainingsText(text.language));
  return useMemo(() => ({ ...text, trainings: words }), [text, words]);
}

/** English where the language does not arrive. */
export function loadTrainingsText(language: string): Promise<typeof trainings> {
  const known = arriving.get(language);
  if (known) return known;
  const text = load(language);
  arriving.set(language, text);
  text.catch(() => arriving.delete(language));
  return text;
}

async function load(language: string): Promise<typeof trainings> {
  const [{ trainings: english }, over] = await Promise.all([
    import("./enTrainings"),
    languages[language]?.loadTrainings().catch(() => ({})) ?? {},
  ]);
  return merged(english, over);
}
