/**
 * Runs the application's code in turn, each large part in a task of its own: in between, the page answers. The document asks for
 * all of it at once (firstLook.ts).
 */
const PARTS = [
  () => import("./start/react"),
  () => import("./start/router"),
  () => import("./start/widgets"),
  () => import("./theme"),
];

async function run(): Promise<void> {
  await painted();
  for (const part of PARTS) {
    await part();
    await nextTask();
  }
  const { start } = await import("./start/start");
  await nextTask();
  start();
}

/** Resolves once the browser has had the time to paint: where all arrives at once, the scripts would come before the heading. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100); // a tab in the background has no frames
  });
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

void run();
