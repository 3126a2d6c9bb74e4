/** How a picture can be taken here: in the page, by the device's own camera program, or not at all. */
export type CameraKind = "page" | "device" | null;

/** Browsers offer cameras to secure pages alone; phones have a program of their own that a file field opens. */
export function cameraKind(): CameraKind {
  // Not there at all where the page is not secure, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (typeof devices?.getUserMedia === "function") return "page";
  return "capture" in document.createElement("input") ? "device" : null;
}

export type CameraProblem = "denied" | "none" | "busy" | "other";

/** What a refusal of getUserMedia means (Media Capture and Streams, section 10.2). */
export function cameraProblem(error: unknown): CameraProblem {
  // Not every one of them is an Error: OverconstrainedError was a thing of its own.
  switch (typeof error === "object" && error !== null && "name" in error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "other";
  }
}

export const FIRST_CAMERA: MediaTrackConstraints = { facingMode: "user" };

/**
 * What leads from this camera to another; null where there is no other.
 *
 * @param now of the track that is seen
 * @param cameras ids of all cameras
 */
export function otherCamera(now: MediaTrackSettings, cameras: readonly string[]): MediaTrackConstraints | null {
  if (cameras.length < 2) return null;
  // A phone has several cameras at its back; what is meant is the other side.
  if (now.facingMode === "user" || now.facingMode === "environment") {
    return { facingMode: now.facingMode === "user" ? "environment" : "user" };
  }
  const next = cameras[(cameras.indexOf(now.deviceId ?? "") + 1) % cameras.length];
  return next ? { deviceId: { exact: next } } : null;
}

/** The picture that a video shows now, as a JPEG file. */
export async function pictureOf(video: HTMLVideoElement, name: string): Promise<File> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  if (!blob) throw new Error("the browser makes no JPEG of it");
  return new File([blob], `${name}.jpg`, { type: blob.type });
}
