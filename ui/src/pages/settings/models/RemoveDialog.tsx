import { Alert } from "@mui/material";
import { useRemoveModel } from "../../../api/models";
import type { Model } from "../../../api/types";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { ConfirmDialog } from "../../../components/ConfirmDialog";
import type { ModelGroup } from "./modelGroups";

interface RemoveDialogProps {
  group: ModelGroup;
  /** One alone; the whole model where it is left out. */
  version?: Model;
  onClose: () => void;
  onRemoved?: () => void;
}

/** Asks before a model goes, and says why where it cannot. */
export function RemoveDialog({ group, version, onClose, onRemoved }: RemoveDialogProps) {
  const text = useText();
  const words = text.settings.model;
  const say = useNotice();
  const { mutate, isPending, error } = useRemoveModel();
  const { label } = group.shown;
  const enabled = version ? [] : group.enabled;
  return (
    <ConfirmDialog
      open
      title={version ? words.removeVersionTitle(label, version.version) : words.removeTitle(label)}
      detail={words.removeText}
      action={enabled.length > 0 ? words.removeOffButton : words.removeButton}
      pending={isPending}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        mutate(
          { uuid: group.uuid, enabled, ...(version && { version: version.version }) },
          {
            onSuccess: () => {
              say(words.removed(label));
              onClose();
              onRemoved?.();
            },
          },
        )
      }
    >
      {enabled.length > 0 && <Alert severity="warning">{words.removeInService}</Alert>}
    </ConfirmDialog>
  );
}
