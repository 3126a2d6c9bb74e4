import { ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { startTransition, useCallback, useEffect, useState } from "react";
import { createBrowserRouter, RouterProvider } from "react-router";
import { createQueryClient } from "./api/queries";
import { pages } from "./pages";
import { ChecksProvider } from "./pages/detector/ChecksProvider";
import { NoticeProvider } from "./shell/NoticeProvider";
import { NotFound } from "./shell/NotFound";
import { PageError } from "./shell/PageError";
import { PageLoading } from "./shell/PageLoading";
import { Shell } from "./shell/Shell";
import { writePreference } from "./preferences";
import { LanguageContext, loadText, type Text, TextContext } from "./text";
import { theme } from "./theme";

type Router = ReturnType<typeof createBrowserRouter>;

/** Begins to load the page of the address. */
export function createRouter(): Router {
  return createBrowserRouter([
    {
      element: <Shell />,
      HydrateFallback: FirstLoading,
      children: [
        {
          // The error of a page replaces the page alone; the way to the others stays.
          ErrorBoundary: PageError,
          children: [
            ...pages.flatMap(({ path, lazy, inner = [] }) => [{ path, lazy }, ...inner]),
            { path: "*", Component: NotFound },
          ],
        },
      ],
    },
  ]);
}

/** Resolves once the code of the page is there, or has failed to come. */
export function pageLoaded(router: Router): Promise<void> {
  return new Promise((resolve) => {
    const look = () => router.state.initialized && resolve();
    router.subscribe(look);
    look();
  });
}

function FirstLoading() {
  return (
    <div className="content">
      <PageLoading />
    </div>
  );
}

/** @param first what the page says until another language is chosen */
export function App({ first, router }: { first: Text; router: Router }) {
  const [queryClient] = useState(createQueryClient);
  const [text, setText] = useState(first);
  const setLanguage = useCallback((language: string) => {
    writePreference("language", language);
    // What is on the page stays until all words of the other language are there.
    void loadText(language).then((arrived) => startTransition(() => setText(arrived)));
  }, []);
  useEffect(() => {
    document.documentElement.lang = text.language;
  }, [text]);
  return (
    <TextContext value={text}>
      <LanguageContext value={setLanguage}>
        {/* Its style sheet, and the baseline: themeStyles.ts. */}
        <ThemeProvider theme={theme} defaultMode="system" noSsr disableStyleSheetGeneration>
          <QueryClientProvider client={queryClient}>
            <NoticeProvider>
              <ChecksProvider>
                <RouterProvider router={router} />
              </ChecksProvider>
            </NoticeProvider>
          </QueryClientProvider>
        </ThemeProvider>
      </LanguageContext>
    </TextContext>
  );
}
