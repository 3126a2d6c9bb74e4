import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useText } from "../../text";
import { Robot } from "../detector/Robot";
import { LearningCurve } from "./LearningCurve";
import { NoiseToFace } from "./NoiseToFace";

/** The way to the pages. */
export function PageCards() {
  const text = useText();
  return (
    <div className="ways">
      <PageCard
        to="/generator"
        title={text.home.generatorTitle}
        description={text.home.generatorText}
        action={text.home.generatorLink}
        picture={<NoiseToFace />}
      />
      <PageCard
        to="/detector"
        title={text.home.detectorTitle}
        description={text.home.detectorText}
        action={text.home.detectorLink}
        picture={<Robot mood="idle" size={150} />}
      />
      <PageCard
        to="/trainings"
        title={text.home.trainingsTitle}
        description={text.home.trainingsText}
        action={text.home.trainingsLink}
        picture={<LearningCurve />}
      />
    </div>
  );
}

interface PageCardProps {
  to: string;
  title: string;
  description: string;
  action: string;
  picture: ReactNode;
}

function PageCard({ to, title, description, action, picture }: PageCardProps) {
  return (
    <Link to={to} className="way">
      <div className="way-words">
        <h2>{title}</h2>
        <p>{description}</p>
        <span className="way-on">
          {action}
          <ArrowRight size={18} aria-hidden />
        </span>
      </div>
      <div className="way-picture">{picture}</div>
    </Link>
  );
}
