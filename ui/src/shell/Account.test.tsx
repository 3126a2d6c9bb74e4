import { ThemeProvider } from "@mui/material";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { answer, client } from "../api/client";
import { createQueryClient } from "../api/queries";
import { theme } from "../theme";
import { Account } from "./Account";

const anonymous = {
  kind: "anonymous",
  name: "visitor",
  scopes: [] as string[],
  accounts: true,
  provider: null as string | null,
};
const admin = { kind: "admin", name: "admin token", scopes: ["admin"], accounts: true, provider: null };
let session = anonymous;

beforeEach(() => {
  session = anonymous;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const request = input as Request;
    if (request.url.endsWith("/backend/settings"))
      return Response.json(
        { type: "/problems/sign-in-needed", title: "Sign in", detail: "This needs an admin." },
        { status: 401 },
      );
    if (request.method === "DELETE") {
      session = anonymous;
      return new Response(null, { status: 204 });
    }
    if (request.method === "POST") {
      const { token } = (await request.json()) as { token: string };
      if (token !== "right")
        return Response.json(
          { type: "/problems/unknown-key", title: "Unknown key", detail: "No such key." },
          { status: 401 },
        );
      session = admin;
    }
    return Response.json(session);
  });
});

afterEach(cleanup);

it("asks who sits here where a call needs to know", async () => {
  render(<Alone />);
  await screen.findByRole("button", { name: "Sign in" });
  await expect(answer(client.POST("/backend/settings", { body: {} }))).rejects.toThrow("This needs an admin.");
  expect(await screen.findByRole("dialog")).toBeVisible();
});

it("signs in with the token, and out", async () => {
  render(<Alone />);
  await userEvent.click(await screen.findByRole("button", { name: "Sign in" }));
  await userEvent.type(screen.getByLabelText(/Token/), " wrong{Enter}");
  expect(await screen.findByText("No such key.")).toBeVisible();
  await userEvent.clear(screen.getByLabelText(/Token/));
  await userEvent.type(screen.getByLabelText(/Token/), "right ");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  await userEvent.click(await screen.findByRole("button", { name: "Sign out (admin token)" }));
  expect(await screen.findByRole("button", { name: "Sign in" })).toBeVisible();
});

it("leads to the provider where there is one", async () => {
  session = { ...anonymous, provider: "Example Inc." };
  render(<Alone />);
  await userEvent.click(await screen.findByRole("button", { name: "Sign in" }));
  expect(screen.getByRole("link", { name: "Sign in with Example Inc." })).toHaveAttribute(
    "href",
    "/backend/session/oidc",
  );
});

it("is not there where the server has no accounts", async () => {
  session = { ...admin, accounts: false };
  render(<Alone />);
  await waitFor(() => expect(fetch).toHaveBeenCalled());
  expect(screen.queryByRole("button")).not.toBeInTheDocument();
});

function Alone() {
  const [queryClient] = useState(createQueryClient);
  return (
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <Account />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
