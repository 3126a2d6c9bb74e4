import { Button } from "@mui/material";
import { Unplug } from "lucide-react";
import { EmptyState } from "../components/EmptyState";
import { useText } from "../text";

/** Stands in for a page that broke, or whose code did not arrive (a new version may have been put in place meanwhile). */
export function PageError() {
  const text = useText();
  return (
    <EmptyState page icon={Unplug} title={text.problem.title} detail={text.problem.unexpected}>
      <Button variant="contained" onClick={() => window.location.reload()}>
        {text.problem.reload}
      </Button>
    </EmptyState>
  );
}
