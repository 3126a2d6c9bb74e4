import { Alert, Box, MenuItem, Skeleton, TextField, Typography } from "@mui/material";
import type { useModelOptions } from "../../../api/models";
import type { ModelType } from "../../../api/types";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useText } from "../../../text";
import { defaultsOf, fieldsOf, networkFaults, type NetworkValues, optionsOf, STYLEGAN2_SIDES } from "./network";

interface NetworkFieldsProps {
  options: ReturnType<typeof useModelOptions>;
  type: ModelType;
  architecture: string;
  values: NetworkValues;
  /** The field that the server refused, by its name there. */
  refused: string | null | undefined;
  onChange: (architecture: string, values: NetworkValues) => void;
}

/** What weights are the weights of: the architecture, and what else their shapes depend on. */
export function NetworkFields({ options, type, architecture, values, refused, onChange }: NetworkFieldsProps) {
  const text = useText();
  const words = text.settings.upload;
  if (options.error) return <ProblemAlert error={options.error} onRetry={() => void options.refetch()} />;
  if (!options.data) return <Skeleton variant="rounded" height={56} />;
  if (options.data.reason) return <Alert severity="warning">{options.data.reason}</Alert>;
  const all = optionsOf(options.data, type);
  const option = all.find(({ name }) => name === architecture);
  const faults = networkFaults(option, values, text);
  return (
    <Box
      component="fieldset"
      sx={{ m: 0, p: 0, border: 0, minWidth: 0, display: "grid", gap: 2, gridTemplateColumns: "minmax(0, 1fr)" }}
    >
      <Typography component="legend" sx={{ fontWeight: 600, mb: 2, p: 0 }}>
        {words.network}
      </Typography>
      <TextField
        select
        required
        label={words.architecture}
        value={option ? architecture : ""}
        error={refused === "architecture"}
        helperText={words.architectureHint}
        onChange={(event) => {
          const name = event.target.value;
          onChange(name, defaultsOf(all.find((each) => each.name === name)));
        }}
      >
        {all.map(({ name }) => (
          <MenuItem key={name} value={name}>
            {name}
          </MenuItem>
        ))}
      </TextField>
      {option && (
        <Box
          sx={{
            display: "grid",
            gap: 2,
            alignItems: "start",
            gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))" },
          }}
        >
          {fieldsOf(option).map((field) => {
            const chosen = field === "resolution" && architecture === "StyleGAN2";
            const { label, hint } = words.networkFields[field];
            return (
              <TextField
                key={field}
                select={chosen}
                label={label}
                value={values[field] ?? ""}
                placeholder={String(option.network[field])}
                error={faults[field] !== undefined || refused === `network.${field}`}
                helperText={faults[field] ?? hint}
                onChange={(event) => onChange(architecture, { ...values, [field]: event.target.value })}
                slotProps={{ htmlInput: { inputMode: "decimal" } }}
              >
                {chosen &&
                  STYLEGAN2_SIDES.map((side) => (
                    <MenuItem key={side} value={side}>
                      {side}
                    </MenuItem>
                  ))}
              </TextField>
            );
          })}
        </Box>
      )}
    </Box>
  );
}
