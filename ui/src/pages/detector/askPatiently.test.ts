import { describe, expect, it, vi } from "vitest";
import { NoAnswer, ProblemError } from "../../api/problem";
import { askPatiently } from "./askPatiently";

const busy = new ProblemError({ detail: "busy" }, 503, 7);

describe("askPatiently", () => {
  it("waits as long as the server asked, then calls again", async () => {
    const wait = vi.fn(() => Promise.resolve());
    const call = vi.fn().mockRejectedValueOnce(busy).mockResolvedValue("face");
    await expect(askPatiently(call, wait)).resolves.toBe("face");
    expect(wait).toHaveBeenCalledExactlyOnceWith(7000);
  });

  it("takes a refusal as it is", async () => {
    const refusal = new ProblemError({ detail: "not an image" }, 415);
    const call = vi.fn().mockRejectedValue(refusal);
    await expect(askPatiently(call)).rejects.toBe(refusal);
    expect(call).toHaveBeenCalledOnce();
  });

  it("gives up in the end", async () => {
    const gone = new NoAnswer(new TypeError("fetch failed"));
    const call = vi.fn().mockRejectedValue(gone);
    await expect(askPatiently(call, () => Promise.resolve())).rejects.toBe(gone);
    expect(call).toHaveBeenCalledTimes(4);
  });
});
