import { Box, Skeleton, Typography } from "@mui/material";
import type { UseQueryResult } from "@tanstack/react-query";
import { ScanFace, Sparkles } from "lucide-react";
import { useModelStats } from "../../../api/images";
import type { Model, ModelType } from "../../../api/types";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { ModelCard } from "./ModelCard";
import type { ModelGroup } from "./modelGroups";

interface ModelSectionProps {
  type: ModelType;
  query: UseQueryResult<Model[]>;
  groups: ModelGroup[];
  mayChange: boolean;
  onOpen: (uuid: string) => void;
}

/** The models of a type. */
export function ModelSection({ type, query, groups, mayChange, onOpen }: ModelSectionProps) {
  const text = useText();
  const words = text.settings.model;
  const { data: stats } = useModelStats();
  const on = groups.filter((group) => group.enabled.length > 0).length;
  return (
    <Box component="section" aria-labelledby={`${type}-heading`}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "baseline", columnGap: 1.5, mb: 2 }}>
        <Typography variant="h3" component="h2" id={`${type}-heading`}>
          {words[type]}
        </Typography>
        <Typography
          variant="body2"
          color="textSecondary"
          sx={{ flex: { xs: "1 0 100%", sm: 1 }, order: { xs: 3, sm: 0 } }}
        >
          {words[`${type}Hint`]}
        </Typography>
        {groups.length > 0 && (
          <Typography variant="body2" role="status" sx={{ fontWeight: 550, ml: "auto" }}>
            {words.on(on, groups.length)}
          </Typography>
        )}
      </Box>
      {query.error && !query.data && <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && groups.length === 0 && (
        <EmptyState icon={type === "generator" ? Sparkles : ScanFace} title={words.noneTitle} detail={words.none} />
      )}
      <Box
        component="ul"
        aria-labelledby={`${type}-heading`}
        sx={{
          listStyle: "none",
          m: 0,
          p: 0,
          display: "grid",
          gap: 2,
          gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" },
        }}
      >
        {query.isPending &&
          [0, 1].map((n) => (
            <Skeleton key={n} component="li" variant="rounded" height={188} sx={{ borderRadius: 5 }} />
          ))}
        {groups.map((group) => (
          <ModelCard
            key={group.uuid}
            group={group}
            stats={stats?.filter((each) => each.model_uuid === group.uuid) ?? []}
            mayChange={mayChange}
            onOpen={onOpen}
          />
        ))}
      </Box>
    </Box>
  );
}
