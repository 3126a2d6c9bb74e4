import { Box, Container } from "@mui/material";
import { Suspense } from "react";
import { Outlet, ScrollRestoration, useNavigation } from "react-router";
import { Later } from "../components/Later";
import { useText } from "../text";
import { BottomBar } from "./BottomBar";
import { ConnectionBanner } from "./ConnectionBanner";
import { Footer } from "./Footer";
import { PageLoading } from "./PageLoading";
import { TopBar } from "./TopBar";

/** What surrounds every page. */
export function Shell() {
  const text = useText();
  const navigation = useNavigation();
  return (
    <Box sx={{ minHeight: "100dvh", display: "flex", flexDirection: "column" }}>
      <Box
        component="a"
        href="#content"
        sx={{
          position: "fixed",
          zIndex: "tooltip",
          top: 8,
          left: 8,
          px: 2,
          py: 1,
          borderRadius: 99,
          bgcolor: "primary.main",
          color: "primary.contrastText",
          opacity: 0,
          pointerEvents: "none",
          "&:focus": { opacity: 1, pointerEvents: "auto" },
        }}
      >
        {text.shell.skip}
      </Box>
      <TopBar />
      <ConnectionBanner />
      <Container
        component="main"
        id="content"
        tabIndex={-1}
        maxWidth="xl"
        sx={{ flex: 1, py: { xs: 3, md: 5 }, px: { xs: 2, sm: 3, lg: 5 }, outline: "none" }}
      >
        {navigation.state === "loading" ? (
          <PageLoading />
        ) : (
          <Suspense fallback={<PageLoading />}>
            <Outlet />
          </Suspense>
        )}
      </Container>
      <Later>
        <Footer />
      </Later>
      <BottomBar />
      <ScrollRestoration />
    </Box>
  );
}
