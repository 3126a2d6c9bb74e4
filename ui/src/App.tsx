import { CssBaseline, ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { createBrowserRouter, RouterProvider } from "react-router";
import { createQueryClient } from "./api/queries";
import { pages } from "./pages";
import { ChecksProvider } from "./pages/detector/ChecksProvider";
import { NoticeProvider } from "./shell/NoticeProvider";
import { NotFound } from "./shell/NotFound";
import { PageError } from "./shell/PageError";
import { PageLoading } from "./shell/PageLoading";
import { Shell } from "./shell/Shell";
import { preferredText, TextContext } from "./text";
import { theme } from "./theme";

const router = createBrowserRouter([
  {
    element: <Shell />,
    HydrateFallback: PageLoading,
    children: [
      {
        // The error of a page replaces the page alone; the way to the others stays.
        ErrorBoundary: PageError,
        children: [...pages.map(({ path, lazy }) => ({ path, lazy })), { path: "*", Component: NotFound }],
      },
    ],
  },
]);

export function App() {
  const [queryClient] = useState(createQueryClient);
  const [text] = useState(preferredText);
  useEffect(() => {
    document.documentElement.lang = text.language;
  }, [text]);
  return (
    <TextContext value={text}>
      <ThemeProvider theme={theme} defaultMode="system" noSsr disableTransitionOnChange>
        <CssBaseline enableColorScheme />
        <QueryClientProvider client={queryClient}>
          <NoticeProvider>
            <ChecksProvider>
              <RouterProvider router={router} />
            </ChecksProvider>
          </NoticeProvider>
        </QueryClientProvider>
      </ThemeProvider>
    </TextContext>
  );
}
