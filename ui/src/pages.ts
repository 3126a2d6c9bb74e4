/** The pages: the router and every menu are made from this list, so a new page is one entry here. */
import { House, Images, type LucideIcon, ScanFace } from "lucide-react";
import type { ComponentType } from "react";
import type { Text } from "./text";

export interface Page {
  path: string;
  /** Its name in menus: a key of the dictionary's `shell`. */
  name: { [K in keyof Text["shell"]]: Text["shell"][K] extends string ? K : never }[keyof Text["shell"]];
  icon: LucideIcon;
  /** Loaded when it is first visited. */
  lazy: () => Promise<{ Component: ComponentType }>;
}

export const pages: readonly Page[] = [
  { path: "/", name: "home", icon: House, lazy: () => import("./pages/home/HomePage") },
  { path: "/generator", name: "generator", icon: Images, lazy: () => import("./pages/generator/GeneratorPage") },
  { path: "/detector", name: "detector", icon: ScanFace, lazy: () => import("./pages/detector/DetectorPage") },
];
