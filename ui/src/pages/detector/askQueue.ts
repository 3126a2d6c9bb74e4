type Task = () => Promise<void>;

/** Runs tasks in turn, at most `atOnce` at the same time. Tasks deal with their own errors. */
export function createQueue(atOnce: number): (task: Task) => void {
  const waiting: Task[] = [];
  let underWay = 0;
  function work() {
    while (underWay < atOnce) {
      const next = waiting.shift();
      if (!next) return;
      underWay += 1;
      void next().finally(() => {
        underWay -= 1;
        work();
      });
    }
  }
  return (task) => {
    waiting.push(task);
    work();
  };
}
