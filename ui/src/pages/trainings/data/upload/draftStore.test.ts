import { beforeEach, expect, it, vi } from "vitest";
import { type Listener, send } from "../../../../api/uploads";
import { DraftStore } from "./draftStore";
import type { Parcel } from "./parcels";

vi.mock("../../../../api/uploads", () => ({ send: vi.fn() }));

const parcel = (title: string, sorted: boolean | null = null): Parcel => ({
  filename: title,
  title,
  data: new Blob(["x".repeat(100)]),
  pictures: null,
  sorted,
  fingerprint: title,
});

let told: Listener[];
const acts = { pause: vi.fn(), resume: vi.fn(), remove: vi.fn() };

beforeEach(() => {
  told = [];
  vi.mocked(send).mockImplementation((_parcel, listener) => {
    told.push(listener);
    return acts;
  });
});

it("sends two at a time", () => {
  const store = new DraftStore();
  store.add({ parcels: [parcel("a.zip"), parcel("b.zip"), parcel("c.zip")], ignored: [] });
  expect(store.get().items.map(({ state }) => state)).toEqual(["sending", "sending", "waiting"]);
  told[0]?.onDone("u-a");
  expect(store.get().items.map(({ state }) => state)).toEqual(["done", "sending", "sending"]);
});

it("names the data set after what was brought, and takes nothing twice", () => {
  const store = new DraftStore();
  store.add({ parcels: [parcel("My faces.zip")], ignored: [] });
  store.add({ parcels: [parcel("My faces.zip")], ignored: [] });
  expect(store.get()).toMatchObject({ name: "My-faces", content: "folders" });
  expect(store.get().items).toHaveLength(1);
});

it("asks what pictures are whose folders say nothing", () => {
  const store = new DraftStore();
  store.add({ parcels: [parcel("pictures", false)], ignored: [] });
  expect(store.get().content).toBeNull();
});

it("makes the data set once the last upload is done", async () => {
  const fetch = vi
    .spyOn(globalThis, "fetch")
    .mockImplementation(() => Promise.resolve(Response.json({ uuid: "d", label: "Faces" }, { status: 201 })));
  const store = new DraftStore();
  store.add({ parcels: [parcel("faces.zip")], ignored: [] });
  store.make();
  expect(fetch).not.toHaveBeenCalled();
  told[0]?.onDone("u-1");
  await vi.waitFor(() => expect(store.get().made).toMatchObject({ uuid: "d" }));
  const request = fetch.mock.calls[0]?.[0] as Request;
  expect(await request.json()).toEqual({ type: "detector", name: "faces", uploads: ["u-1"] });
});

it("keeps the uploads where the name is taken, so that another one can be tried", async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(() =>
    Promise.resolve(Response.json({ detail: "Taken.", field: "name" }, { status: 409 })),
  );
  const store = new DraftStore();
  store.add({ parcels: [parcel("faces.zip")], ignored: [] });
  told[0]?.onDone("u-1");
  store.make();
  await vi.waitFor(() => expect(store.get().error?.message).toBe("Taken."));
  expect(store.get()).toMatchObject({ wanted: false, making: false });
  expect(store.get().items[0]?.upload).toBe("u-1");
});

it("pauses and goes on", () => {
  const store = new DraftStore();
  store.add({ parcels: [parcel("faces.zip")], ignored: [] });
  const id = store.get().items[0]?.id ?? 0;
  store.pause(id);
  expect(acts.pause).toHaveBeenCalled();
  told[0]?.onSent(50);
  expect(store.get().items[0]).toMatchObject({ state: "paused" });
  store.resume(id);
  expect(store.get().items[0]).toMatchObject({ state: "sending" });
});
