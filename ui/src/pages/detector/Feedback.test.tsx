import { ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useMemo, useState } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createQueryClient } from "../../api/queries";
import type { FaceClass, LabelRequest } from "../../api/types";
import { theme } from "../../theme";
import { type Check, noChecks } from "./checks";
import { ChecksContext, type ChecksDesk } from "./checksContext";
import { Feedback } from "./Feedback";

const said: LabelRequest[] = [];
let refusal: Response | null = null;

beforeEach(() => {
  said.length = 0;
  refusal = null;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const body = (await (input as Request).json()) as LabelRequest;
    said.push(body);
    return refusal ?? Response.json({ ...body, uuid: "label", agreed: body.label === body.predicted }, { status: 201 });
  });
});

afterEach(cleanup);

it("files the picture under the robot's answer where the person agrees", async () => {
  render(<OneCheck />);
  await userEvent.click(screen.getByRole("button", { name: "Agree" }));
  expect(await screen.findByText(/Filed under “Generated photo of a person”/)).toBeVisible();
  expect(said).toEqual([{ image: "picture", label: "human_gen", predicted: "human_gen", share: false }]);
});

it("shares the picture for training only where the person agrees", async () => {
  render(<OneCheck />);
  await userEvent.click(screen.getByRole("checkbox", { name: /learn from this picture/ }));
  await userEvent.click(screen.getByRole("button", { name: "Agree" }));
  expect(await screen.findByText(/Filed under/)).toBeVisible();
  expect(said).toEqual([{ image: "picture", label: "human_gen", predicted: "human_gen", share: true }]);
});

it("asks for the class where the person disagrees", async () => {
  render(<OneCheck />);
  await userEvent.click(screen.getByRole("button", { name: "Disagree" }));
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await userEvent.click(screen.getByRole("radio", { name: "Drawn cartoon face" }));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/Filed under “Drawn cartoon face”/)).toBeVisible();
  expect(said).toEqual([{ image: "picture", label: "anime", predicted: "human_gen", share: false }]);
});

it("says why a label was not taken", async () => {
  refusal = Response.json({ title: "No such image", detail: "There is no image of this id." }, { status: 404 });
  render(<OneCheck />);
  await userEvent.click(screen.getByRole("button", { name: "Agree" }));
  expect(await screen.findByText("There is no image of this id.")).toBeVisible();
});

function OneCheck() {
  const [queryClient] = useState(createQueryClient);
  const [label, setLabel] = useState<FaceClass>();
  const desk = useMemo<ChecksDesk>(
    () => ({
      ...noChecks,
      check: vi.fn(),
      checkStored: vi.fn(),
      ask: vi.fn(),
      show: vi.fn(),
      remove: vi.fn(),
      setLabel: (_check, next) => setLabel(next),
    }),
    [],
  );
  const check: Check = {
    id: "1",
    file: new File([], "face.png"),
    name: "face.png",
    preview: "blob:1",
    state: "answered",
    answer: {
      image: "picture",
      models: [],
      verdict: {
        probabilities: { human: 0.1, human_gen: 0.9, anime: 0, anime_gen: 0 },
        called: "human_gen",
        generated: true,
        confidence: 0.9,
        sentence: "",
      },
    },
    ...(label && { label }),
  };
  return (
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <ChecksContext value={desk}>
          <Feedback check={check} />
        </ChecksContext>
      </QueryClientProvider>
    </ThemeProvider>
  );
}
