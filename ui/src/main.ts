/**
 * Runs the application's code in turn, each large part in a task of its own: in between, the page answers. What the document
 * names (firstLook.ts) is asked for when the heading is there, without waiting for each other: before, it would share the line.
 */
const PARTS = [
  () => import("./start/react"),
  () => import("./start/router"),
  () => import("./start/widgets"),
  () => import("./theme"),
];

async function run(): Promise<void> {
  await painted();
  void askForCode();
  for (const part of PARTS) {
    await part();
    await nextTask();
  }
  const { start } = await import("./start/start");
  await nextTask();
  start();
}

async function askForCode(): Promise<void> {
  for (const link of document.querySelectorAll<HTMLLinkElement>("link[rel=modulepreload]")) {
    link.media = "all";
    await nextTask();
  }
}

/** Resolves once the heading is on the screen: where all arrives at once, the scripts would come before it. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    new PerformanceObserver(() => resolve()).observe({ type: "paint", buffered: true });
    // A tab in the background paints nothing.
    setTimeout(resolve, document.hidden ? 0 : 2000);
  });
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

void run();
