import { expect, it } from "vitest";
import { createQueue } from "./askQueue";

it("runs tasks in turn, no more than allowed at the same time", async () => {
  const push = createQueue(2);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  for (const n of [0, 1, 2]) {
    push(() => {
      started.push(n);
      return new Promise((resolve) => (finish[n] = resolve));
    });
  }
  expect(started).toEqual([0, 1]);
  finish[1]?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
});
