import { Box, Button, Card, Skeleton, Typography } from "@mui/material";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { useApiKeys } from "../../../api/apiKeys";
import type { Key } from "../../../api/types";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { Gate } from "../../../components/Gate";
import { PartHead } from "../PartHead";
import { KeyRow } from "./KeyRow";
import { MakeKeyDialog } from "./MakeKeyDialog";
import { counts } from "./counts";
import { RevokeDialog } from "./RevokeDialog";

/** Keys of programs. */
export function KeysPart() {
  const text = useText();
  return (
    <Gate scope="admin" needs={text.settings.key.needs}>
      <Keys />
    </Gate>
  );
}

function Keys() {
  const text = useText();
  const words = text.settings.key;
  const { data: keys, error, refetch } = useApiKeys();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const [now] = useState(Date.now);
  const current = keys?.filter((key) => counts(key, now)) ?? [];
  const past = keys?.filter((key) => !counts(key, now)) ?? [];
  return (
    <>
      <PartHead
        title={words.title}
        lead={words.lead}
        action={
          <Button variant="contained" startIcon={<Plus size={18} />} onClick={() => setMaking(true)}>
            {words.make}
          </Button>
        }
      />
      {error && !keys && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!keys && !error && <Skeleton variant="rounded" height={200} sx={{ borderRadius: 5 }} />}
      {keys && current.length === 0 && <EmptyState icon={KeyRound} title={words.emptyTitle} detail={words.empty} />}
      {current.length > 0 && (
        <Card component="ul" aria-label={words.title} sx={{ listStyle: "none", m: 0, p: 0 }}>
          {current.map((key) => (
            <KeyRow key={key.uuid} value={key} now={now} onRevoke={() => setRevoking(key)} />
          ))}
        </Card>
      )}
      {past.length > 0 && (
        <Box component="details" sx={{ mt: 3 }}>
          <Typography component="summary" sx={{ cursor: "pointer", fontWeight: 600, mb: 1, borderRadius: 2 }}>
            {words.past(past.length)}
          </Typography>
          <Card component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {past.map((key) => (
              <KeyRow key={key.uuid} value={key} now={now} />
            ))}
          </Card>
        </Box>
      )}
      {making && <MakeKeyDialog onClose={() => setMaking(false)} />}
      {revoking && <RevokeDialog value={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}
