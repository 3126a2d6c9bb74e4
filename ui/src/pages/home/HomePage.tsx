import { Button } from "@mui/material";
import { Plus, ScanFace } from "lucide-react";
import { Link } from "react-router";
import { Later } from "../../components/Later";
import { useText } from "../../text";
import "./home.css";
import { HowItWorks } from "./HowItWorks";
import { LiveSamples } from "./LiveSamples";
import { PageCards } from "./PageCards";

export function Component() {
  const text = useText();
  return (
    <>
      <title>{text.name}</title>
      <div className="home-first">
        <div>
          <h1>{text.home.title}</h1>
          <p className="home-lead">{text.home.lead}</p>
          <div className="home-ways">
            <Later>
              <Button component={Link} to="/generator" variant="contained" size="large" startIcon={<Plus size={20} />}>
                {text.home.toGenerator}
              </Button>
              <Button
                component={Link}
                to="/detector"
                variant="outlined"
                size="large"
                startIcon={<ScanFace size={20} />}
              >
                {text.home.toDetector}
              </Button>
            </Later>
          </div>
        </div>
        <LiveSamples />
      </div>
      <Later>
        <PageCards />
        <HowItWorks />
      </Later>
    </>
  );
}
