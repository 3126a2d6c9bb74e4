import { createContext, use } from "react";
import type { FaceClass, Image } from "../../api/types";
import { type Check, type Checks, noChecks } from "./checks";

export interface ChecksDesk extends Checks {
  /** @param models uuids of the detectors to ask; none = all */
  check: (files: File[], models: string[]) => void;
  /** The same about a picture that the server has already. */
  checkStored: (image: Image, models: string[]) => void;
  /** Asks (other) detectors about a picture again. */
  ask: (check: Check, models: string[]) => void;
  show: (id: string) => void;
  remove: (check: Check) => void;
  setLabel: (check: Check, label: FaceClass) => void;
}

const none = () => undefined;

export const ChecksContext = createContext<ChecksDesk>({
  ...noChecks,
  check: none,
  checkStored: none,
  ask: none,
  show: none,
  remove: none,
  setLabel: none,
});

export function useChecks(): ChecksDesk {
  return use(ChecksContext);
}
