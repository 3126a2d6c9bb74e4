import { Suspense } from "react";
import { Outlet, ScrollRestoration, useNavigation } from "react-router";
import { Later } from "../components/Later";
import { useText } from "../text";
import { BottomBar } from "./BottomBar";
import { ConnectionBanner } from "./ConnectionBanner";
import { Footer } from "./Footer";
import { PageLoading } from "./PageLoading";
import { TopBar } from "./TopBar";
import "./shell.css";

/** What surrounds every page. */
export function Shell() {
  const text = useText();
  const navigation = useNavigation();
  return (
    <div className="shell">
      <a href="#content" className="skip-link">
        {text.shell.skip}
      </a>
      <TopBar />
      <ConnectionBanner />
      <main id="content" tabIndex={-1} className="content">
        {navigation.state === "loading" ? (
          <PageLoading />
        ) : (
          <Suspense fallback={<PageLoading />}>
            <Outlet />
          </Suspense>
        )}
      </main>
      <Later>
        <Footer />
      </Later>
      <BottomBar />
      <ScrollRestoration />
    </div>
  );
}
