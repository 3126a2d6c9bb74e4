import type { Mood } from "./mood";
import "./robot.css";

interface RobotProps {
  mood: Mood;
  size: number;
  /** Left out where the robot only decorates. */
  label?: string;
}

/** VisionLab's robot. What it feels is in `data-mood`; `robot.css` draws and moves it accordingly. */
export function Robot({ mood, size, label }: RobotProps) {
  return (
    <svg
      className="robot"
      data-mood={mood}
      viewBox="0 0 200 200"
      width={size}
      height={size}
      {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
    >
      <ellipse className="robot-shadow" cx="100" cy="192" rx="52" ry="5" />
      <g className="robot-whole">
        <g className="robot-arm robot-arm-left">
          <path className="robot-limb" d="M52 152 Q34 158 32 174" />
          <circle className="robot-hand" cx="32" cy="176" r="7" />
        </g>
        <g className="robot-arm robot-arm-right">
          <path className="robot-limb" d="M148 152 Q166 158 168 174" />
          <circle className="robot-hand" cx="168" cy="176" r="7" />
          <g className="robot-lens">
            <circle cx="168" cy="192" r="15" />
            <path d="M168 177 v-6" />
          </g>
        </g>
        <path
          className="robot-body"
          d="M64 138 h72 a14 14 0 0 1 14 14 v14 a22 22 0 0 1 -22 22 h-56 a22 22 0 0 1 -22 -22 v-14 a14 14 0 0 1 14 -14 z"
        />
        <g className="robot-badge">
          <circle cx="100" cy="163" r="11" />
          <path className="robot-mark-real" d="M94.5 163.5 l4 4 7.5 -8.5" />
          <path className="robot-mark-generated" d="M95.5 158.5 l9 9 m0 -9 l-9 9" />
          <path className="robot-mark-unsure" d="M96.5 160 a3.6 3.6 0 1 1 5 3.3 q-1.5 .7 -1.5 2.4 m0 3 v.1" />
        </g>
        <g className="robot-head">
          <g className="robot-antenna">
            <path className="robot-limb" d="M100 42 v-16" />
            <circle className="robot-bulb" cx="100" cy="20" r="8" />
          </g>
          <rect className="robot-ear" x="26" y="74" width="16" height="34" rx="8" />
          <rect className="robot-ear" x="158" y="74" width="16" height="34" rx="8" />
          <rect className="robot-skull" x="36" y="40" width="128" height="98" rx="36" />
          <rect className="robot-screen" x="50" y="56" width="100" height="66" rx="24" />
          <g className="robot-eyes">
            <rect className="robot-eye robot-eye-left" x="71" y="72" width="14" height="20" rx="7" />
            <rect className="robot-eye robot-eye-right" x="115" y="72" width="14" height="20" rx="7" />
          </g>
          <path className="robot-mouth robot-mouth-smile" d="M88 103 q12 10 24 0" />
          <path className="robot-mouth robot-mouth-flat" d="M90 106 h20" />
          <path className="robot-mouth robot-mouth-wave" d="M84 106 q5.3 -6 10.6 0 t10.6 0 t10.6 0" />
          <circle className="robot-mouth robot-mouth-small" cx="100" cy="106" r="4" />
        </g>
      </g>
    </svg>
  );
}
