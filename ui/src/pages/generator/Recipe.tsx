import { Box, Button, Card, Skeleton, Slider, Typography } from "@mui/material";
import { Plus, Power } from "lucide-react";
import { EmptyState } from "../../components/EmptyState";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";
import { ModelChoice } from "./ModelChoice";
import { type Batches, LARGEST_BATCH } from "./useBatches";

/** Smaller truncations give one face over and over. */
const LEAST_VARIETY = 0.1;

/** Which models make the next batch, how wild and how many. */
export function Recipe({ batches }: { batches: Batches }) {
  const text = useText();
  const { models, modelsError, retryModels, chosen } = batches;
  if (modelsError && !models) return <ProblemAlert error={modelsError} onRetry={retryModels} />;
  if (models?.length === 0) {
    return <EmptyState icon={Power} title={text.generator.noModelsTitle} detail={text.generator.noModels} />;
  }
  return (
    <Card sx={{ p: { xs: 2, sm: 2.5 }, display: "grid", gap: 2.5 }}>
      <Box>
        <Typography variant="h4" component="h2" id="models-heading">
          {text.generator.models}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
          {text.generator.modelsHint}
        </Typography>
        <Box role="group" aria-labelledby="models-heading" sx={{ display: "grid", gap: 1 }}>
          {models?.map((model) => (
            <ModelChoice
              key={model.uuid}
              model={model}
              chosen={chosen.includes(model.uuid)}
              onToggle={() => batches.toggleModel(model.uuid)}
            />
          )) ?? [1, 2].map((n) => <Skeleton key={n} variant="rounded" height={62} />)}
        </Box>
        {models && chosen.length === 0 && (
          <Typography role="status" variant="body2" color="secondary" sx={{ mt: 1 }}>
            {text.generator.noModelChosen}
          </Typography>
        )}
      </Box>
      <Box
        sx={{
          display: "grid",
          columnGap: 3,
          rowGap: 2.5,
          gridTemplateColumns: { xs: "repeat(2, minmax(0, 1fr))", md: "minmax(0, 1fr)" },
        }}
      >
        <Dial
          id="variety"
          label={text.generator.variety}
          value={batches.variety}
          shown={text.generator.varietyValue(Math.round(batches.variety * 100))}
          min={LEAST_VARIETY}
          max={1}
          step={0.05}
          onChange={batches.setVariety}
          hint={text.generator.varietyHint}
        />
        <Dial
          id="batch"
          label={text.generator.batch}
          value={batches.size}
          shown={text.generator.batchValue(batches.size)}
          min={1}
          max={LARGEST_BATCH}
          step={1}
          onChange={batches.setSize}
        />
      </Box>
      {batches.switchedOff && (
        <Typography variant="body2" color="secondary">
          {text.generator.batchOff}
        </Typography>
      )}
      <Button
        variant="contained"
        size="large"
        startIcon={<Plus size={22} aria-hidden />}
        disabled={!batches.ready}
        onClick={batches.generate}
        sx={{ display: { xs: "none", md: "inline-flex" } }}
      >
        {text.generator.generate(batches.size)}
      </Button>
      {batches.error !== null && <ProblemAlert error={batches.error} onRetry={batches.generate} />}
    </Card>
  );
}

interface DialProps {
  id: string;
  label: string;
  value: number;
  shown: string;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
  hint?: string;
}

function Dial({ id, label, value, shown, min, max, step, onChange, hint }: DialProps) {
  return (
    <Box>
      <Box sx={{ display: "flex", justifyContent: "space-between", alignItems: "baseline" }}>
        <Typography variant="h4" component="h2" id={`${id}-heading`}>
          {label}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ fontVariantNumeric: "tabular-nums" }}>
          {shown}
        </Typography>
      </Box>
      <Box sx={{ px: 1 }}>
        <Slider
          aria-labelledby={`${id}-heading`}
          size="small"
          value={value}
          min={min}
          max={max}
          step={step}
          getAriaValueText={() => shown}
          onChange={(_event, next) => onChange(next)}
        />
      </Box>
      {hint && (
        <Typography variant="body2" color="textSecondary" sx={{ display: { xs: "none", md: "block" } }}>
          {hint}
        </Typography>
      )}
    </Box>
  );
}
