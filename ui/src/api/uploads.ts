import { DetailedError, Upload } from "tus-js-client";
import { useEffect, useRef, useState } from "react";
import { NoAnswer, ProblemError } from "./problem";
import { tellSignInNeeded } from "./signInNeeded";

/** Small enough for progress to be seen and proxies to let it through; the server keeps what arrives of each. */
const PIECE = 8 * 2 ** 20;
/** Milliseconds; a laptop that was closed and a router that starts anew get through with these. */
const RETRIES = [0, 1_000, 3_000, 5_000, 10_000, 20_000, 30_000, 60_000, 60_000, 60_000];

export interface Shipment {
  data: Blob;
  /** With the ending that says what it is. */
  filename: string;
  /** The same for the same files: by it an upload that was broken off is found again. */
  fingerprint: string;
}

export interface Sending {
  pause: () => void;
  resume: () => void;
  /** Gives it up; what was sent is removed from the server. */
  remove: () => void;
}

export interface Listener {
  /** Bytes that have been sent so far. */
  onSent: (sent: number) => void;
  /** It goes on behind what an earlier visit has sent. */
  onResumed?: () => void;
  onRetry?: () => void;
  /** @param upload its uuid */
  onDone: (upload: string) => void;
  onFailed: (error: Error) => void;
}

/** Sends in resumable pieces (tus), going on where an earlier try of the same files was broken off. */
export function send({ data, filename, fingerprint }: Shipment, listener: Listener): Sending {
  const upload = new Upload(data, {
    endpoint: `${window.location.origin}/backend/file/upload`,
    chunkSize: PIECE,
    retryDelays: RETRIES,
    metadata: { filename },
    fingerprint: () => Promise.resolve(`visionlab-${fingerprint}`),
    removeFingerprintOnSuccess: true,
    onProgress: (sent) => listener.onSent(sent),
    onShouldRetry: (error) => {
      const again = isPassing(error);
      if (again) listener.onRetry?.();
      return again;
    },
    onError: (error) => listener.onFailed(asProblem(error)),
    onSuccess: () => listener.onDone(upload.url?.split("/").at(-1) ?? ""),
  });
  let stopped = false;
  void upload
    .findPreviousUploads()
    .then(([previous]) => {
      if (!previous) return;
      upload.resumeFromPreviousUpload(previous);
      listener.onResumed?.();
    })
    .catch(() => undefined) // a browser that remembers nothing
    .then(() => {
      if (!stopped) upload.start();
    });
  return {
    pause: () => {
      stopped = true;
      void upload.abort();
    },
    resume: () => {
      stopped = false;
      upload.start();
    },
    remove: () => {
      stopped = true;
      upload.abort(true).catch(() => undefined); // the server forgets it by itself after a day
    },
  };
}

export interface UploadState {
  phase: "none" | "sending" | "paused" | "sent" | "failed";
  sent: number;
  /** bytes */
  total: number;
  /** What the server calls it, once it is sent. */
  upload: string | null;
  error: unknown;
}

const NONE: UploadState = { phase: "none", sent: 0, total: 0, upload: null, error: null };

/** The upload of one file. */
export function useUpload() {
  const [state, setState] = useState<UploadState>(NONE);
  const current = useRef<Sending | null>(null);
  const change = (part: Partial<UploadState>) => setState((before) => ({ ...before, ...part }));

  const start = (file: File) => {
    current.current?.pause();
    setState({ ...NONE, phase: "sending", total: file.size });
    const fingerprint = `${file.name}-${file.size}-${file.lastModified}`;
    // What an upload says that another one took the place of is not heard.
    const heard = (part: Partial<UploadState>) => current.current === sending && change(part);
    const sending: Sending = send(
      { data: file, filename: file.name, fingerprint },
      {
        onSent: (sent) => heard({ sent }),
        onDone: (upload) => heard({ phase: "sent", upload }),
        onFailed: (error) => heard({ phase: "failed", error }),
      },
    );
    current.current = sending;
  };
  const pause = () => {
    current.current?.pause();
    change({ phase: "paused" });
  };
  const goOn = () => {
    change({ phase: "sending", error: null });
    current.current?.resume();
  };
  /** Gives it up, on the server too. */
  const drop = () => {
    current.current?.remove();
    current.current = null;
    setState(NONE);
  };
  /** Forgets it; the server keeps it, or has made something of it. */
  const forget = () => {
    current.current = null;
    setState(NONE);
  };
  // Who leaves the page can go on with it for as long as the server keeps it.
  useEffect(() => () => current.current?.pause(), []);
  return { ...state, start, pause, goOn, drop, forget };
}

function isPassing(error: unknown): boolean {
  const status = error instanceof DetailedError ? error.originalResponse?.getStatus() : undefined;
  if (status === undefined || status === 0) return true;
  // 409 and 423: an earlier piece is just ending. 507 does not mend itself.
  return status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/** What the server said, as every other call tells it. */
function asProblem(error: unknown): Error {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return new NoAnswer(error);
  let body: unknown = null;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    // Something before the server answered.
  }
  const problem = new ProblemError(body, response.getStatus());
  if (problem.problem?.type === "/problems/sign-in-needed") tellSignInNeeded();
  return problem;
}
