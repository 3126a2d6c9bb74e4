import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import type { DetectorMetrics } from "../api/types";
import { SourceList } from "./SourceList";

afterEach(cleanup);

it("has the hardest first, and all of them when asked", async () => {
  render(<SourceList metrics={judged(12)} heading="h3" />);
  const shown = () => screen.getAllByRole("listitem").map((each) => each.textContent);
  expect(shown()).toHaveLength(8);
  expect(shown()[0]).toBe("source-0 · 1 picture50.0%");
  await userEvent.click(screen.getByRole("button", { name: "All 12 sources" }));
  expect(shown()).toHaveLength(12);
});

it("is not there where the classes say it already", () => {
  const { container } = render(<SourceList metrics={judged(2)} heading="h3" />);
  expect(container).toBeEmptyDOMElement();
});

function judged(n: number): DetectorMetrics {
  const sources = Array.from({ length: n }, (_, each) => [
    `human/source-${each}`,
    { face_class: "human", accuracy: 0.5 + each / 100, support: 1 + each },
  ]);
  return { sources: Object.fromEntries(sources.toReversed()) as unknown } as DetectorMetrics;
}
