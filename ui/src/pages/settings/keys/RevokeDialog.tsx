import { useRevokeKey } from "../../../api/apiKeys";
import type { Key } from "../../../api/types";
import { useNotice } from "../../../shell/notice";
import { useText } from "../../../text";
import { ConfirmDialog } from "../../../components/ConfirmDialog";

export function RevokeDialog({ value, onClose }: { value: Key; onClose: () => void }) {
  const words = useText().settings.key;
  const say = useNotice();
  const { mutate, isPending, error } = useRevokeKey();
  return (
    <ConfirmDialog
      open
      title={words.revokeTitle(value.name)}
      detail={words.revokeText}
      action={words.revoke}
      pending={isPending}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        mutate(value.uuid, {
          onSuccess: () => {
            say(words.revoked(value.name));
            onClose();
          },
        })
      }
    />
  );
}
