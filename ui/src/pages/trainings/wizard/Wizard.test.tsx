import { ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, expect, it, vi } from "vitest";
import { createQueryClient } from "../../../api/queries";
import type { Dataset } from "../../../api/types";
import { loadTrainingsText } from "../../../text/trainings";
import { theme } from "../../../theme";
import { freshForm } from "./form";
import { Wizard } from "./Wizard";

const dataset = {
  uuid: "d",
  type: "detector",
  name: "faces",
  label: "Faces",
  origin: "uploaded",
  status: "enabled",
  state: "ready",
  images: 100,
  classes: { human: 50, anime: 50 },
} as unknown as Dataset;
const options = {
  detectors: [{ name: "MobileNetV2", least_side: 32 }],
  generators: [{ name: "DCGAN", least_side: 128 }],
  at_once: 1,
  reason: null,
};

afterEach(cleanup);

it("shows what the server refuses at its field, in the step that asks for it", async () => {
  answerTo({
    post: { status: 409, body: { title: "Name taken", detail: "There is a model of this name.", field: "name" } },
  });
  await open("review", ["d"]);
  fireEvent.click(await screen.findByRole("button", { name: "Start the training" }));
  expect(await screen.findByText("There is a model of this name.")).toBeVisible();
  await waitFor(() => {
    expect(screen.getByLabelText("Name")).toHaveAccessibleDescription("There is a model of this name.");
  });
});

it("says what was refused for no field of its own", async () => {
  answerTo({ post: { status: 507, body: { title: "Store full", detail: "There is no room left.", field: null } } });
  await open("review", ["d"]);
  fireEvent.click(await screen.findByRole("button", { name: "Start the training" }));
  expect(await screen.findByText("There is no room left.")).toBeVisible();
});

it("does not go on without pictures, and says so", async () => {
  answerTo({});
  await open("pictures", []);
  expect(screen.queryByText("Choose at least one data set.")).not.toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByText("Choose at least one data set.")).toBeVisible();
  fireEvent.click(screen.getByRole("checkbox", { name: /Faces/ }));
  expect(screen.queryByText("Choose at least one data set.")).not.toBeInTheDocument();
});

function answerTo({ post }: { post?: { status: number; body: object } }) {
  vi.spyOn(globalThis, "fetch").mockImplementation((input) => {
    const request = input as Request;
    if (request.method === "POST") return Promise.resolve(Response.json(post?.body, { status: post?.status ?? 201 }));
    return Promise.resolve(Response.json({ trainings: [], next_cursor: null }));
  });
}

async function open(step: string, datasets: string[]) {
  const router = createMemoryRouter(
    [
      {
        path: "*",
        element: <Wizard start={{ ...freshForm(), datasets }} options={options} datasets={[dataset]} models={[]} />,
      },
    ],
    { initialEntries: [`/trainings/new?step=${step}`] },
  );
  await loadTrainingsText("en");
  await act(async () => {
    render(
      <ThemeProvider theme={theme}>
        <QueryClientProvider client={createQueryClient()}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ThemeProvider>,
    );
    await Promise.resolve();
  });
}
