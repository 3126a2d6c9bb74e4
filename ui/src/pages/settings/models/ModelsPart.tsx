import { Alert, Box, Button } from "@mui/material";
import { Lock, Plus } from "lucide-react";
import { Suspense, useState } from "react";
import { useAllModels } from "../../../api/models";
import { may, useSession } from "../../../api/session";
import { tellSignInNeeded } from "../../../api/signInNeeded";
import { soon } from "../../../components/soon";
import { useText } from "../../../text";
import { BatchCard } from "./BatchCard";
import { groupModels } from "./modelGroups";
import { ModelSection } from "./ModelSection";
import { ServingCard } from "./ServingCard";

const AddModelDialog = soon(async () => (await import("./AddModelDialog")).AddModelDialog);
const ModelSheet = soon(async () => (await import("./ModelSheet")).ModelSheet);

/** Generators, detectors, and what concerns all of them. */
export function ModelsPart() {
  const text = useText();
  const words = text.settings;
  const { data: session } = useSession();
  const mayChange = may(session, "models");
  const generators = useAllModels("generator");
  const detectors = useAllModels("detector");
  const [opened, setOpened] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const groups = { generator: groupModels(generators.data ?? []), detector: groupModels(detectors.data ?? []) };
  const all = [...groups.generator, ...groups.detector];

  return (
    <>
      {session?.kind === "anonymous" && (
        <Alert
          severity="info"
          icon={<Lock size={20} aria-hidden />}
          sx={{ mb: 3, bgcolor: "primary.light", color: "text.primary", "& .MuiAlert-icon": { color: "primary.main" } }}
          action={
            <Button color="inherit" size="small" onClick={tellSignInNeeded}>
              {text.gate.signIn}
            </Button>
          }
        >
          {words.lookOnly}
        </Alert>
      )}
      <Box
        sx={{
          display: "grid",
          alignItems: "start",
          gap: { xs: 3, md: 4 },
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 1fr) 300px" },
        }}
      >
        <Box
          sx={{
            display: "grid",
            gap: 2,
            gridTemplateColumns: { xs: "minmax(0, 1fr)", sm: "repeat(2, minmax(0, 1fr))", md: "minmax(0, 1fr)" },
            order: { md: 2 },
            position: { md: "sticky" },
            top: 88,
          }}
        >
          <BatchCard mayChange={may(session, "settings")} />
          <ServingCard />
          {mayChange && (
            <Button
              variant="contained"
              size="large"
              startIcon={<Plus size={20} />}
              onClick={() => setAdding(true)}
              sx={{ gridColumn: "1 / -1" }}
            >
              {words.model.add}
            </Button>
          )}
        </Box>
        <Box sx={{ display: "grid", gap: { xs: 4, md: 5 }, minWidth: 0 }}>
          <ModelSection
            type="generator"
            query={generators}
            groups={groups.generator}
            mayChange={mayChange}
            onOpen={setOpened}
          />
          <ModelSection
            type="detector"
            query={detectors}
            groups={groups.detector}
            mayChange={mayChange}
            onOpen={setOpened}
          />
        </Box>
      </Box>
      <Suspense>
        <ModelSheet
          group={all.find((group) => group.uuid === opened)}
          all={all}
          mayChange={mayChange}
          onOpen={setOpened}
          onClose={() => setOpened(null)}
        />
        {adding && <AddModelDialog all={all} onClose={() => setAdding(false)} />}
      </Suspense>
    </>
  );
}
