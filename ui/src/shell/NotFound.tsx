import { Button } from "@mui/material";
import { Compass } from "lucide-react";
import { Link } from "react-router";
import { EmptyState } from "../components/EmptyState";
import { useText } from "../text";

export function NotFound() {
  const text = useText();
  return (
    <EmptyState page icon={Compass} title={text.problem.notFoundTitle} detail={text.problem.notFound}>
      <Button variant="contained" component={Link} to="/">
        {text.problem.toHome}
      </Button>
    </EmptyState>
  );
}
