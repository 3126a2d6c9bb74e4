import { type ReactNode, useCallback, useMemo, useReducer, useState } from "react";
import { classifyFile, classifyStored } from "../../api/classify";
import { createQueue } from "./askQueue";
import { askPatiently } from "./askPatiently";
import { type Check, checksReducer, noChecks } from "./checks";
import { ChecksContext, type ChecksDesk } from "./checksContext";

/** Pictures under way at the same time: the next one uploads while the detectors look at this one. */
const AT_ONCE = 2;

/** Keeps the pictures of this visit, also while other pages are open, and asks the server about them in turn. */
export function ChecksProvider({ children }: { children: ReactNode }) {
  const [checks, dispatch] = useReducer(checksReducer, noChecks);
  const [enqueue] = useState(() => createQueue(AT_ONCE));

  const ask = useCallback(
    (check: Check, models: string[]) => {
      const { id, file } = check;
      const stored = check.answer?.image ?? check.stored;
      dispatch({ type: "changed", id, change: { state: "waiting", error: undefined } });
      enqueue(async () => {
        dispatch({ type: "changed", id, change: { state: "asking" } });
        try {
          const answer = await askPatiently(() =>
            file && !stored ? classifyFile(file, models) : classifyStored(stored ?? id, models),
          );
          dispatch({ type: "changed", id, change: { state: "answered", answer } });
        } catch (error) {
          dispatch({ type: "changed", id, change: { state: "failed", error } });
        }
      });
    },
    [enqueue],
  );

  const desk = useMemo<ChecksDesk>(
    () => ({
      ...checks,
      check: (files, models) => {
        const added = files.map((file): Check => {
          const preview = URL.createObjectURL(file);
          return { id: preview, file, name: file.name, preview, state: "waiting" };
        });
        dispatch({ type: "added", checks: added });
        for (const check of added) ask(check, models);
      },
      checkStored: (image, models) => {
        const { uuid, url } = image;
        const added: Check = {
          id: uuid,
          file: null,
          stored: uuid,
          name: image.filename ?? url,
          preview: url,
          state: "waiting",
        };
        dispatch({ type: "added", checks: [added] });
        ask(added, models);
      },
      ask,
      show: (id) => dispatch({ type: "shown", id }),
      remove: (check) => {
        dispatch({ type: "removed", id: check.id });
        URL.revokeObjectURL(check.preview);
      },
      setLabel: (check, label) => dispatch({ type: "changed", id: check.id, change: { label } }),
    }),
    [checks, ask],
  );
  return <ChecksContext value={desk}>{children}</ChecksContext>;
}
