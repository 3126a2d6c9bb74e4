import { Box } from "@mui/material";
import { useEffect, useRef } from "react";
import type { ActivationMap } from "../../api/types";
import { heatPixels } from "./heat";

/** Enough for a smooth slope; the browser stretches it over the picture. */
const SIZE = 128;

interface HeatMapProps {
  map: ActivationMap;
  label: string;
  /** 0 to 1 */
  strength: number;
}

/** The regions that spoke for the answer, over the picture. */
export function HeatMap({ map, label, strength }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { data, width, height } = heatPixels(map.values, SIZE);
    canvas.current?.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
  }, [map]);
  return (
    <Box
      role="img"
      aria-label={label}
      aria-hidden={strength === 0}
      sx={{ position: "absolute", transition: "opacity .2s", pointerEvents: "none" }}
      style={{
        // Detectors see a part of the picture, and the map covers that part.
        left: percent(map.region.left),
        top: percent(map.region.top),
        width: percent(map.region.width),
        height: percent(map.region.height),
        opacity: strength,
      }}
    >
      <canvas ref={canvas} width={SIZE} height={SIZE} style={{ width: "100%", height: "100%" }} />
    </Box>
  );
}

function percent(fraction: number): string {
  return `${fraction * 100}%`;
}
