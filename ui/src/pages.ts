/** The pages: the router and every menu are made from this list, so a new page is one entry here. */
import { GraduationCap, House, Images, type LucideIcon, ScanFace, Settings2 } from "lucide-react";
import type { ComponentType } from "react";
import { preferredLanguage, type Text } from "./text";
import { loadTrainingsText } from "./text/trainings";

export interface Page {
  path: string;
  /** Its name in menus: a key of the dictionary's `shell`. */
  name: { [K in keyof Text["shell"]]: Text["shell"][K] extends string ? K : never }[keyof Text["shell"]];
  icon: LucideIcon;
  /** Loaded when it is first visited. */
  lazy: () => Promise<{ Component: ComponentType }>;
  /** Pages that are reached from it, and stand in no menu; each is loaded by itself. */
  inner?: readonly Pick<Page, "path" | "lazy">[];
}

export const pages: readonly Page[] = [
  { path: "/", name: "home", icon: House, lazy: () => import("./pages/home/HomePage") },
  { path: "/generator", name: "generator", icon: Images, lazy: () => import("./pages/generator/GeneratorPage") },
  { path: "/detector", name: "detector", icon: ScanFace, lazy: () => import("./pages/detector/DetectorPage") },
  {
    path: "/trainings",
    name: "trainings",
    icon: GraduationCap,
    lazy: ofTrainings(() => import("./pages/trainings/list/TrainingsPage")),
    inner: [
      { path: "/trainings/new", lazy: ofTrainings(() => import("./pages/trainings/wizard/WizardPage")) },
      { path: "/trainings/data", lazy: ofTrainings(() => import("./pages/trainings/data/DataPage")) },
      { path: "/trainings/data/new", lazy: ofTrainings(() => import("./pages/trainings/data/NewDatasetPage")) },
      { path: "/trainings/data/:uuid", lazy: ofTrainings(() => import("./pages/trainings/data/DatasetPage")) },
      { path: "/trainings/compare", lazy: ofTrainings(() => import("./pages/trainings/compare/ComparePage")) },
      { path: "/trainings/:uuid", lazy: ofTrainings(() => import("./pages/trainings/training/TrainingPage")) },
    ],
  },
  { path: "/settings", name: "settings", icon: Settings2, lazy: () => import("./pages/settings/SettingsPage") },
];

/** These pages have words of their own, which come beside their code. */
function ofTrainings(load: Page["lazy"]): Page["lazy"] {
  return () => {
    void loadTrainingsText(preferredLanguage()).catch(() => undefined); // the page asks for them once more, and says so
    return load();
  };
}
