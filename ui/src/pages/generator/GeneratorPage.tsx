import { Box } from "@mui/material";
import { Later } from "../../components/Later";
import { PageTitle } from "../../components/PageTitle";
import { useText } from "../../text";
import { Gallery } from "./Gallery";
import { GenerateFab } from "./GenerateFab";
import { Popularity } from "./Popularity";
import { Recipe } from "./Recipe";
import { useBatches } from "./useBatches";

/** On the left who makes the faces and how, on the right the faces. */
export function Component() {
  const text = useText();
  const batches = useBatches();
  return (
    <>
      <PageTitle title={text.generator.title} lead={text.generator.lead} />
      <Later>
        <Box
          sx={{
            display: "grid",
            alignItems: "start",
            gap: { xs: 3, md: 4, lg: 5 },
            gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "300px minmax(0, 1fr)", lg: "340px minmax(0, 1fr)" },
          }}
        >
          <Box
            sx={{
              display: "grid",
              gap: { xs: 1.5, md: 3 },
              minWidth: 0,
              position: { md: "sticky" },
              top: { md: 88 },
              // A column higher than the screen would never show its end beside a gallery that goes on and on.
              maxHeight: { md: "calc(100dvh - 104px)" },
              overflowY: { md: "auto" },
              scrollbarWidth: "thin",
            }}
          >
            <Recipe batches={batches} />
            <Popularity />
          </Box>
          <Later>
            <Gallery
              arriving={batches.arriving}
              onFirst={batches.generate}
              canGenerate={batches.ready}
              floating={<GenerateFab batches={batches} />}
            />
          </Later>
        </Box>
      </Later>
    </>
  );
}
