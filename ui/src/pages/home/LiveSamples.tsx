import { Button } from "@mui/material";
import { Images } from "lucide-react";
import { useDeferredValue } from "react";
import { Link } from "react-router";
import { thumbnailUrl, useNewestImages } from "../../api/images";
import { EmptyState } from "../../components/EmptyState";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useText } from "../../text";

/** Fills a grid of four columns whose second picture is twice as large: 4 x 3 cells. */
const COUNT = 9;

/** The newest faces that were made here. */
export function LiveSamples() {
  const text = useText();
  const { data, error, refetch } = useNewestImages(COUNT);
  // To begin to load nine pictures takes long: as a transition it is done one by one.
  const images = useDeferredValue(data);
  if (error && !data) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (images?.length === 0) {
    return (
      <EmptyState icon={Images} title={text.generator.emptyTitle} detail={text.home.noSamples}>
        <Button component={Link} to="/generator" variant="contained">
          {text.generator.emptyButton}
        </Button>
      </EmptyState>
    );
  }
  return (
    <section aria-label={text.home.samples}>
      <div className="samples">
        {!images
          ? Array.from({ length: COUNT }, (_, n) => <div key={n} className="samples-coming" />)
          : images.map((image) => (
              <img
                key={image.uuid}
                src={thumbnailUrl(image)}
                alt={text.home.sampleAlt(image.how_made?.model_label ?? text.name)}
                width={256}
                height={256}
              />
            ))}
      </div>
      <p className="samples-caption">{text.home.samplesCaption}</p>
    </section>
  );
}
