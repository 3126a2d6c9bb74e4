import { Box, FormHelperText, Radio, Typography } from "@mui/material";
import { type ReactNode, useId } from "react";

export interface Choice<Value extends string> {
  value: Value;
  title: string;
  text?: string;
  icon?: ReactNode;
  disabled?: boolean;
  /** In a row of its own. */
  wide?: boolean;
}

interface ChoiceCardsProps<Value extends string> {
  legend: string;
  hint?: string;
  options: Choice<Value>[];
  value: Value | null;
  onChange: (value: Value) => void;
  problem?: string | null;
  /** Small ones, two in a row also on a phone where they fit. */
  dense?: boolean;
  /** How wide a card is at least, in pixels. */
  least?: number;
}

/** One of several, each a card that says what it means. Radio buttons to keyboards and screen readers. */
export function ChoiceCards<Value extends string>(props: ChoiceCardsProps<Value>) {
  const { legend, hint, options, value, onChange, problem = null, dense = false, least = 190 } = props;
  const id = useId();
  return (
    <Box
      component="fieldset"
      aria-describedby={problem ? `${id}-problem` : hint ? `${id}-hint` : undefined}
      sx={{ border: 0, m: 0, p: 0, minWidth: 0 }}
    >
      <Typography component="legend" variant="h4" sx={{ p: 0, mb: hint ? 0 : 1.25 }}>
        {legend}
      </Typography>
      {hint && (
        <Typography id={`${id}-hint`} variant="body2" color="textSecondary" sx={{ mb: 1.25 }}>
          {hint}
        </Typography>
      )}
      <Box
        sx={{
          display: "grid",
          gap: 1,
          gridTemplateColumns: `repeat(auto-fit, minmax(min(100%, ${dense ? 170 : least}px), 1fr))`,
        }}
      >
        {options.map((option) => {
          const on = option.value === value;
          return (
            <Box
              component="label"
              key={option.value}
              sx={{
                display: "flex",
                gridColumn: option.wide ? "1 / -1" : "auto",
                alignItems: "flex-start",
                gap: 0.5,
                p: dense ? 0.75 : 1.25,
                pr: 1.5,
                borderRadius: 3.5,
                border: 1.5,
                borderColor: on ? "primary.main" : "divider",
                bgcolor: on ? "primary.light" : "transparent",
                opacity: option.disabled ? 0.55 : 1,
                cursor: option.disabled ? "default" : "pointer",
                transition: "background-color .15s, border-color .15s",
                "&:hover": { borderColor: option.disabled ? "divider" : "primary.main" },
              }}
            >
              <Radio
                size="small"
                name={id}
                checked={on}
                disabled={option.disabled ?? false}
                onChange={() => onChange(option.value)}
                sx={{ p: 0.75 }}
              />
              <Box sx={{ pt: 0.5, minWidth: 0 }}>
                <Box sx={{ display: "flex", alignItems: "center", gap: 1, fontWeight: 600, lineHeight: 1.35 }}>
                  {option.icon}
                  {option.title}
                </Box>
                {option.text && (
                  <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: "anywhere" }}>
                    {option.text}
                  </Typography>
                )}
              </Box>
            </Box>
          );
        })}
      </Box>
      {problem && (
        <FormHelperText id={`${id}-problem`} error>
          {problem}
        </FormHelperText>
      )}
    </Box>
  );
}
