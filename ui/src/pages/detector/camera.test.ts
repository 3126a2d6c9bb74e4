import { afterEach, describe, expect, it, vi } from "vitest";
import { cameraKind, cameraProblem, otherCamera } from "./camera";

afterEach(() => vi.unstubAllGlobals());

describe("a camera", () => {
  it("is in the page where the browser offers it", () => {
    vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: () => undefined } });
    expect(cameraKind()).toBe("page");
  });

  it("is the device's where the page is not secure", () => {
    vi.stubGlobal("navigator", {});
    expect(cameraKind()).toBeNull();
    vi.spyOn(document, "createElement").mockReturnValue(
      Object.assign(document.createElement("input"), { capture: "" }),
    );
    expect(cameraKind()).toBe("device");
  });

  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "none"],
    ["OverconstrainedError", "none"],
    ["NotReadableError", "busy"],
    ["TypeError", "other"],
  ])("that says %s is %s", (name, problem) => {
    expect(cameraProblem(new DOMException("", name))).toBe(problem);
    expect(cameraProblem(undefined)).toBe("other");
  });
});

describe("another camera", () => {
  it("is not there where there is one", () => expect(otherCamera({ deviceId: "a" }, ["a"])).toBeNull());

  it("is the one on the other side", () => {
    expect(otherCamera({ facingMode: "user" }, ["a", "b", "c"])).toEqual({ facingMode: "environment" });
    expect(otherCamera({ facingMode: "environment" }, ["a", "b", "c"])).toEqual({ facingMode: "user" });
  });

  it("is the next one where they have no sides", () => {
    expect(otherCamera({ deviceId: "a" }, ["a", "b"])).toEqual({ deviceId: { exact: "b" } });
    expect(otherCamera({ deviceId: "b" }, ["a", "b"])).toEqual({ deviceId: { exact: "a" } });
    expect(otherCamera({}, ["a", "b"])).toEqual({ deviceId: { exact: "a" } });
  });
});
