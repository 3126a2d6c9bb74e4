import { Box, Button, MenuItem, Skeleton, TextField, Typography } from "@mui/material";
import { ScrollText } from "lucide-react";
import { useState } from "react";
import { useAudit } from "../../../api/audit";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { Gate } from "../../../components/Gate";
import { PartHead } from "../PartHead";
import { AuditRow } from "./AuditRow";
import { byDay } from "./byDay";

/** Who did what. */
export function AuditPart() {
  const text = useText();
  return (
    <Gate scope="admin" needs={text.settings.audit.needs}>
      <Log />
    </Gate>
  );
}

function Log() {
  const text = useText();
  const words = text.settings.audit;
  const [action, setAction] = useState("");
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useAudit(action);
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <PartHead
        title={words.title}
        lead={words.lead}
        action={
          <TextField
            select
            size="small"
            label={words.filter}
            value={action}
            onChange={(event) => setAction(event.target.value)}
            sx={{ width: { xs: 1, sm: 300 } }}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
          >
            <MenuItem value="">{words.everything}</MenuItem>
            {Object.entries(words.acts).map(([act, says]) => (
              <MenuItem key={act} value={act}>
                {says}
                {act.startsWith("GET") && " (OpenID Connect)"}
              </MenuItem>
            ))}
          </TextField>
        }
      />
      {error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton variant="rounded" height={320} sx={{ borderRadius: 5 }} />}
      {data && entries.length === 0 && <EmptyState icon={ScrollText} title={words.emptyTitle} detail={words.empty} />}
      {byDay(entries, text.language).map(({ day, entries: ofDay }) => (
        <Box component="section" key={day} aria-label={day} sx={{ mb: 3 }}>
          <Typography variant="overline" component="h3" color="secondary">
            {day}
          </Typography>
          <Box component="ol" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {ofDay.map((entry, n) => (
              <AuditRow key={entry.request_id ?? n} entry={entry} />
            ))}
          </Box>
        </Box>
      ))}
      {hasNextPage && (
        <Button variant="outlined" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {text.settings.loadMore}
        </Button>
      )}
    </>
  );
}
