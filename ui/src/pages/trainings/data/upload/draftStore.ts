import { answer, client } from "../../../../api/client";
import type { ModelType } from "../../../../api/datasets";
import type { Dataset, FaceClass } from "../../../../api/types";
import { type Sending, send } from "../../../../api/uploads";
import { nameFrom, type Parcel } from "./parcels";

export interface Item {
  id: number;
  parcel: Parcel;
  state: "waiting" | "sending" | "retrying" | "paused" | "done" | "failed";
  sent: number;
  resumed: boolean;
  /** Bytes a second, lately; 0: not known yet. */
  speed: number;
  error: Error | null;
  /** uuid, once all of it is there */
  upload: string | null;
}

export interface Draft {
  items: readonly Item[];
  ignored: readonly string[];
  type: ModelType;
  /** What all pictures are, or that their folders say so; null: not said yet. */
  content: FaceClass | "folders" | null;
  name: string;
  label: string;
  /** It is to be made as soon as the uploads are done. */
  wanted: boolean;
  making: boolean;
  error: Error | null;
  made: Dataset | null;
}

const EMPTY: Draft = {
  items: [],
  ignored: [],
  type: "detector",
  content: null,
  name: "",
  label: "",
  wanted: false,
  making: false,
  error: null,
  made: null,
};

/** How many are sent at the same time. */
const AT_ONCE = 2;
/** Speeds are means over about so many seconds. */
const SMOOTH_SECONDS = 4;

/**
 * The data set that is being put together. It lives outside of the page, so that uploads go on while one looks at other pages.
 */
export class DraftStore {
  #draft = EMPTY;
  #listeners = new Set<() => void>();
  #sendings = new Map<number, Sending>();
  #marks = new Map<number, { at: number; sent: number }>();
  #next = 1;

  get = (): Draft => this.#draft;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  change(change: Partial<Pick<Draft, "type" | "content" | "name" | "label">>): void {
    // Whoever changes something after the wish wants to look again before it is made.
    this.#set({ ...change, error: null });
  }

  add({ parcels, ignored }: { parcels: Parcel[]; ignored: string[] }): void {
    const known = new Set(this.#draft.items.map(({ parcel }) => parcel.fingerprint));
    const fresh = parcels
      .filter(({ fingerprint }) => !known.has(fingerprint))
      .map((parcel): Item => {
        const id = this.#next;
        this.#next += 1;
        return { id, parcel, state: "waiting", sent: 0, resumed: false, speed: 0, error: null, upload: null };
      });
    const items = [...this.#draft.items, ...fresh];
    const [first] = items;
    this.#set({
      items,
      ignored,
      made: null,
      name: this.#draft.name || nameFrom(first?.parcel.title ?? ""),
      content: this.#draft.content ?? (items.some(({ parcel }) => parcel.sorted !== false) ? "folders" : null),
    });
    this.#sendMore();
  }

  pause(id: number): void {
    this.#sendings.get(id)?.pause();
    this.#item(id, { state: "paused", speed: 0 });
    this.#sendMore();
  }

  resume(id: number): void {
    this.#marks.delete(id);
    this.#item(id, { state: "sending", error: null });
    const sending = this.#sendings.get(id);
    if (sending) sending.resume();
    else this.#begin(id);
  }

  remove(id: number): void {
    this.#sendings.get(id)?.remove();
    this.#sendings.delete(id);
    this.#set({ items: this.#draft.items.filter((item) => item.id !== id), error: null });
    if (this.#draft.items.length === 0) this.#set({ wanted: false, ignored: [], name: "", content: null });
    this.#sendMore();
  }

  /** Makes the data set, now or as soon as the uploads are done. */
  make(): void {
    this.#set({ wanted: true, error: null });
    void this.#makeIfDone();
  }

  /** Forgets a data set that was made, for the next one. */
  clear(): void {
    this.#sendings.clear();
    this.#marks.clear();
    this.#draft = { ...EMPTY, type: this.#draft.type };
    this.#tell();
  }

  #sendMore(): void {
    const busy = this.#draft.items.filter(({ state }) => state === "sending" || state === "retrying").length;
    const waiting = this.#draft.items.filter(({ state }) => state === "waiting");
    for (const { id } of waiting.slice(0, Math.max(0, AT_ONCE - busy))) this.#begin(id);
  }

  #begin(id: number): void {
    const item = this.#draft.items.find((each) => each.id === id);
    if (!item) return;
    this.#item(id, { state: "sending" });
    const sending = send(item.parcel, {
      onSent: (sent) => this.#sent(id, sent),
      onResumed: () => this.#item(id, { resumed: true }),
      onRetry: () => this.#item(id, { state: "retrying", speed: 0 }),
      onDone: (upload) => {
        this.#item(id, { state: "done", sent: item.parcel.data.size, upload, speed: 0 });
        this.#sendMore();
        void this.#makeIfDone();
      },
      onFailed: (error) => {
        this.#item(id, { state: "failed", error, speed: 0 });
        this.#sendMore();
      },
    });
    this.#sendings.set(id, sending);
  }

  #sent(id: number, sent: number): void {
    const now = performance.now();
    const mark = this.#marks.get(id);
    const item = this.#draft.items.find((each) => each.id === id);
    if (!item || item.state === "paused") return;
    let { speed } = item;
    if (!mark) this.#marks.set(id, { at: now, sent });
    else if (now - mark.at > 400) {
      const seconds = (now - mark.at) / 1000;
      const lately = Math.max(0, sent - mark.sent) / seconds;
      const weight = Math.min(1, seconds / SMOOTH_SECONDS);
      speed = speed === 0 ? lately : speed + (lately - speed) * weight;
      this.#marks.set(id, { at: now, sent });
    }
    this.#item(id, { state: "sending", sent, speed });
  }

  async #makeIfDone(): Promise<void> {
    const { items, wanted, making, content, name, label, type } = this.#draft;
    if (!wanted || making || content === null) return;
    if (items.length === 0 || items.some(({ state }) => state !== "done")) return;
    this.#set({ making: true });
    try {
      const body = {
        type,
        name,
        ...(label.trim() && { label: label.trim() }),
        ...(content !== "folders" && { face_class: content }),
        uploads: items.flatMap(({ upload }) => upload ?? []),
      };
      const made = await answer(client.POST("/backend/dataset", { body }));
      this.#set({ made, making: false, wanted: false });
    } catch (error) {
      this.#set({ error: error as Error, making: false, wanted: false });
    }
  }

  #item(id: number, change: Partial<Item>): void {
    this.#set({ items: this.#draft.items.map((item) => (item.id === id ? { ...item, ...change } : item)) });
  }

  #set(change: Partial<Draft>): void {
    this.#draft = { ...this.#draft, ...change };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Of this tab. */
export const draftStore = new DraftStore();
