import type { Plugin, Rolldown } from "vite";
import { en } from "./src/text/en.ts";
import { trainings } from "./src/text/enTrainings.ts";
import { zh } from "./src/text/zh.ts";
import { trainings as zhTrainings } from "./src/text/zhTrainings.ts";

type Chunk = Rolldown.OutputChunk;

interface Head {
  title?: string;
  lead?: string;
}

interface FirstPage {
  /** Its module, whose code is asked for along with the application's. */
  module: string;
  /** Its heading, by language. */
  heads: Record<string, Head | undefined>;
  /** What it asks of the server first, letter for letter. */
  data: readonly string[];
}

/** Pages that people come to from elsewhere, by the name of their file; home is that of "/". */
const PAGES: Record<string, FirstPage> = {
  home: {
    module: "/src/pages/home/HomePage.tsx",
    heads: { en: en.home, zh: zh.home },
    data: ["/backend/image?type=generated&limit=9"],
  },
  generator: {
    module: "/src/pages/generator/GeneratorPage.tsx",
    heads: { en: en.generator, zh: zh.generator },
    data: ["/backend/model/generator?status=enabled", "/backend/image?type=generated&limit=60"],
  },
  detector: {
    module: "/src/pages/detector/DetectorPage.tsx",
    heads: { en: en.detector, zh: zh.detector },
    data: ["/backend/model/detector?status=enabled"],
  },
  trainings: {
    module: "/src/pages/trainings/list/TrainingsPage.tsx",
    heads: { en: trainings, zh: zhTrainings },
    data: [],
  },
  settings: {
    module: "/src/pages/settings/SettingsPage.tsx",
    heads: { en: en.settings, zh: zh.settings },
    data: [],
  },
};

/**
 * Writes NAME.html (English) and NAME.LANGUAGE.html beside index.html: the same document, which shows the page's heading before
 * any script runs, and asks for the page's own code and data at once instead of after the application's code. The servers
 * (api's web.py, nginx) give them in place of index.html, which stays what every other address gets.
 */
export function firstLook(): Plugin {
  return {
    name: "visionlab-first-look",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const document = Object.values(bundle).find(({ fileName }) => fileName === "index.html");
        if (document?.type !== "asset") throw new Error("there is no index.html to make the pages' own of");
        const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
        const entry = chunks.find(({ isEntry }) => isEntry);
        if (!entry) throw new Error("there is no code that the documents begin with");
        // Less what comes with the document's own script, which is asked for already.
        const there = together([entry.fileName], chunks);
        const application = [...together(entry.dynamicImports, chunks)].filter((each) => !there.has(each));
        // The fonts are the heading's too.
        const asked = [...styles(application, "stylesheet"), ...application.map(code)];
        const html = String(document.source).replace("</head>", `${lines(asked)}</head>`);
        for (const [name, page] of Object.entries(PAGES)) {
          for (const [language, head] of Object.entries(page.heads)) {
            const fileName = language === "en" ? `${name}.html` : `${name}.${language}.html`;
            const source = html
              .replace('lang="en"', `lang="${language}"`)
              .replace("</head>", `${lines([...hints(page, [...there, ...application], chunks)])}</head>`)
              .replace("<!--first-look-->", heading(name, { ...page.heads.en, ...head }));
            this.emitFile({ type: "asset", fileName, source });
          }
        }
        document.source = html.replace("<!--first-look-->", "");
      },
    },
  };
}

function heading(name: string, { title = "", lead = "" }: Head): string {
  const words = `<h1>${escaped(title)}</h1><p>${escaped(lead)}</p>`;
  // Home's stands in the middle of the height of the pictures beside it.
  return name === "home"
    ? `<div class="first-home"><div>${words}</div><div></div></div>`
    : `<div class="first-page">${words}</div>`;
}

/** What a page needs beside what is asked for already. */
function* hints(page: FirstPage, asked: Chunk[], chunks: Chunk[]): Generator<string> {
  const own = chunks.find((each) => each.moduleIds.some((id) => id.endsWith(page.module)));
  if (!own) throw new Error(`there is no code of ${page.module}`);
  const wanted = [...together([own.fileName], chunks)].filter((each) => !asked.includes(each));
  yield* wanted.map(code);
  yield* styles(wanted, "preload");
  for (const url of page.data) yield `<link rel="preload" as="fetch" crossorigin href="${escaped(url)}" />`;
}

/** It comes after what the heading is shown with, its styles and its fonts: main.ts lets it. */
function code({ fileName }: Chunk): string {
  return `<link rel="modulepreload" media="not all" crossorigin href="/${fileName}" />`;
}

function styles(chunks: Chunk[], rel: "preload" | "stylesheet"): string[] {
  return chunks.flatMap(({ viteMetadata }) =>
    [...(viteMetadata?.importedCss ?? [])].map((css) => `<link rel="${rel}" as="style" crossorigin href="/${css}" />`),
  );
}

function lines(hints: string[]): string {
  return hints.map((hint) => `  ${hint}\n  `).join("");
}

/** These files and all that comes with them. */
function together(fileNames: readonly string[], all: readonly Chunk[], found = new Set<Chunk>()): Set<Chunk> {
  for (const chunk of all)
    if (fileNames.includes(chunk.fileName) && !found.has(chunk)) together(chunk.imports, all, found.add(chunk));
  return found;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
