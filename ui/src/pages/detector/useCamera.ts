import { useEffect, useState } from "react";
import { type CameraProblem, cameraProblem, FIRST_CAMERA, otherCamera } from "./camera";

/** A photo's side is longer than a video call's; the browser comes as near as the camera can. */
const SIZE: MediaTrackConstraints = { width: { ideal: 1920 }, height: { ideal: 1080 } };

type Look =
  | { state: "starting" }
  | { state: "live"; stream: MediaStream; mirrored: boolean; other: MediaTrackConstraints | null }
  | { state: "failed"; problem: CameraProblem };

export interface Camera {
  look: Look;
  again: () => void;
  /** Changes to the other camera; null where there is none. */
  change: (() => void) | null;
}

/** The camera, on for as long as the component is there. */
export function useCamera(): Camera {
  const [wanted, setWanted] = useState(FIRST_CAMERA);
  const [look, setLook] = useState<Look>({ state: "starting" });
  const start = (camera: MediaTrackConstraints) => {
    setLook({ state: "starting" });
    // Another object each time, so that it starts anew.
    setWanted({ ...camera });
  };

  useEffect(() => {
    let over = false;
    let stream: MediaStream | undefined;
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    const open = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...wanted } });
        // Names and ids of the others are told once one is allowed.
        const devices = await navigator.mediaDevices.enumerateDevices();
        if (over) return;
        const [track] = stream.getVideoTracks();
        const now = track?.getSettings() ?? {};
        const cameras = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
        // It is unplugged, or the permission is taken back.
        track?.addEventListener("ended", () => !over && setLook({ state: "failed", problem: "busy" }));
        setLook({
          state: "live",
          stream,
          mirrored: now.facingMode !== "environment",
          other: otherCamera(now, cameras),
        });
      } catch (error) {
        if (!over) setLook({ state: "failed", problem: cameraProblem(error) });
      } finally {
        // Closed while the browser asked for permission.
        if (over) stop();
      }
    };
    void open();
    return () => {
      over = true;
      stop();
    };
  }, [wanted]);

  const other = look.state === "live" ? look.other : null;
  return { look, again: () => start(wanted), change: other && (() => start(other)) };
}
