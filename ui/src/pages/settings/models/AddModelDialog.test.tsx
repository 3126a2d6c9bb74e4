import { ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createQueryClient, keys } from "../../../api/queries";
import type { ModelOptions } from "../../../api/types";
import type { Listener, Shipment } from "../../../api/uploads";
import { theme } from "../../../theme";
import { AddModelDialog } from "./AddModelDialog";

const UPLOAD = "0192f3a4-5b6c-7d8e-9f00-112233445566";
/** What tus would send; the file is there at once. */
const shipped = vi.hoisted(() => [] as string[]);
vi.mock("tus-js-client", () => ({
  DetailedError: class extends Error {},
  Upload: class {
    url = `/backend/file/upload/${UPLOAD}`;
    constructor(
      _data: Shipment["data"],
      private options: { metadata: { filename: string }; onSuccess: Listener["onDone"] },
    ) {}
    findPreviousUploads = () => Promise.resolve([]);
    abort = () => Promise.resolve();
    start() {
      shipped.push(this.options.metadata.filename);
      this.options.onSuccess("");
    }
  },
}));

const OPTIONS: ModelOptions = {
  detectors: [{ name: "MobileNetV2", least_side: 32, network: { resolution: 224, temperature: 1 } }],
  generators: [
    { name: "DCGAN", least_side: 128, network: { width: 128 } },
    { name: "StyleGAN2", least_side: 32, network: { resolution: 128, latent_size: 512 } },
  ],
  most_bytes: 1000,
  reason: null,
};
let options = OPTIONS;
let answerOf: () => Response;
let asked: Record<string, unknown>[] = [];

beforeEach(() => {
  options = OPTIONS;
  asked = [];
  shipped.length = 0;
  answerOf = () => Response.json({ label: "Theirs", type: "generator" }, { status: 201 });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const request = input as Request;
    if (request.method === "POST") {
      asked.push((await request.json()) as Record<string, unknown>);
      return answerOf();
    }
    return Response.json(request.url.endsWith("/model/options") ? options : []);
  });
});

afterEach(cleanup);

it("takes weights of a generator, with what they are the weights of", async () => {
  await open();
  choose("dcgan-faces.weights.h5");
  // Its name tells of the architecture, and that of what it is.
  expect(await screen.findByLabelText(/Architecture/)).toHaveTextContent("DCGAN");
  expect(screen.getByRole("button", { name: "A generator" })).toHaveAttribute("aria-pressed", "true");
  expect(screen.queryByLabelText("Resolution")).not.toBeInTheDocument();
  const width = screen.getByLabelText("Width");
  expect(width).toHaveValue("128");
  await userEvent.clear(width);
  await userEvent.type(width, "3");
  expect(screen.getByText("A number from 4 to 512")).toBeVisible();
  expect(screen.getByText(/out of range/)).toBeVisible();
  expect(submit()).toBeDisabled();
  await userEvent.type(width, "2");
  await pick(screen.getByLabelText("What it makes"), "cartoon faces");
  await userEvent.click(submit());
  await screen.findByText(/is there, switched off/);
  expect(asked).toEqual([
    {
      upload: UPLOAD,
      type: "generator",
      name: "dcgan-faces",
      label: "Dcgan faces",
      face_class: "anime_gen",
      architecture: "DCGAN",
      network: { width: 32 },
    },
  ]);
});

it("takes weights of a detector, and the order of its classes", async () => {
  await open();
  choose("best.npz");
  expect(await screen.findByText("Choose the architecture.")).toBeVisible();
  await pick(screen.getByLabelText(/Architecture/), "MobileNetV2");
  await userEvent.click(screen.getByRole("button", { name: "More about it" }));
  await pick(screen.getByLabelText("Output 1"), "Generated cartoon");
  expect(screen.getByLabelText("Output 4")).toHaveTextContent("Real person");
  await userEvent.click(submit());
  await screen.findByText(/is there, switched off/);
  expect(asked[0]).toMatchObject({
    type: "detector",
    architecture: "MobileNetV2",
    classes: ["anime_gen", "human_gen", "anime", "human"],
    network: { resolution: 224, temperature: 1 },
  });
});

it("asks nothing of the network of an ONNX file", async () => {
  await open();
  choose("best.onnx");
  await screen.findByText(/Uploaded/);
  expect(screen.queryByText("What are these the weights of?")).not.toBeInTheDocument();
  await userEvent.click(submit());
  await screen.findByText(/is there, switched off/);
  expect(asked[0]).not.toHaveProperty("network");
});

it("says what to do with a file that is not taken, and sends nothing of it", async () => {
  await open();
  for (const [name, words] of [
    ["whole.keras", /save_weights/],
    ["net.pth", /any program/],
    ["face.png", /no model/],
    ["big.onnx", /2 kB; a model may have 1 kB/],
  ] as const) {
    choose(name, name === "big.onnx" ? 2000 : 10);
    expect(screen.getByRole("alert")).toHaveTextContent(words);
  }
  expect(shipped).toEqual([]);
});

it("says before the upload that nothing here makes models of weights", async () => {
  options = { ...OPTIONS, reason: "What trains is not installed here." };
  await open();
  choose("best.npz");
  expect(screen.getByRole("alert")).toHaveTextContent("What trains is not installed here.");
  expect(shipped).toEqual([]);
});

it("shows what the server said at the field that it means, and lets it be mended", async () => {
  answerOf = () =>
    Response.json(
      { type: "/problems/name-taken", title: "Name taken", detail: "There is a model named best.", field: "name" },
      { status: 409, headers: { "Content-Type": "application/problem+json" } },
    );
  await open();
  choose("best.onnx");
  await screen.findByText(/Uploaded/);
  await userEvent.click(submit());
  expect(await screen.findByText("There is a model named best.")).toBeVisible();
  const name = screen.getByLabelText(/^Name/);
  expect(name).toBeInvalid();
  await userEvent.type(name, "-2");
  expect(name).toBeValid();
  expect(submit()).toBeEnabled();
});

async function open() {
  const queryClient = createQueryClient();
  render(
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <AddModelDialog all={[]} onClose={() => undefined} />
      </QueryClientProvider>
    </ThemeProvider>,
  );
  await waitFor(() => expect(queryClient.getQueryData(keys.modelOptions)).toBeDefined());
}

function choose(name: string, size = 10) {
  const file = new File([new Uint8Array(size)], name);
  fireEvent.change(screen.getByLabelText("File of the model"), { target: { files: [file] } });
}

async function pick(select: HTMLElement, option: string) {
  await userEvent.click(select);
  await userEvent.click(within(screen.getByRole("listbox")).getByRole("option", { name: option }));
}

const submit = () => screen.getByRole("button", { name: "Check and add" });
