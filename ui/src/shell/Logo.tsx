import logo from "../logo.svg";

/** A profile, half of it real and half of it made of cells. */
export function Logo({ size }: { size: number }) {
  return <img src={logo} width={size} height={size} alt="" />;
}
