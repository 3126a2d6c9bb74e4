import { Box, Tab, Tabs } from "@mui/material";
import { Boxes, Images, KeyRound, type LucideIcon, ScrollText, Swords } from "lucide-react";
import { type ComponentType, Suspense } from "react";
import { useSearchParams } from "react-router";
import { PageTitle } from "../../components/PageTitle";
import { soon } from "../../components/soon";
import { PageLoading } from "../../shell/PageLoading";
import { useText } from "../../text";
import { ModelsPart } from "./models/ModelsPart";

const ChallengesPart = soon(async () => (await import("./challenges/ChallengesPart")).ChallengesPart);
const KeysPart = soon(async () => (await import("./keys/KeysPart")).KeysPart);
const AuditPart = soon(async () => (await import("./audit/AuditPart")).AuditPart);
const PicturesPart = soon(async () => (await import("./pictures/PicturesPart")).PicturesPart);

interface PartOfPage {
  name: "models" | "challenges" | "keys" | "log" | "pictures";
  icon: LucideIcon;
  Part: ComponentType;
}

const PARTS: readonly [PartOfPage, ...PartOfPage[]] = [
  { name: "models", icon: Boxes, Part: ModelsPart },
  { name: "challenges", icon: Swords, Part: ChallengesPart },
  { name: "keys", icon: KeyRound, Part: KeysPart },
  { name: "log", icon: ScrollText, Part: AuditPart },
  { name: "pictures", icon: Images, Part: PicturesPart },
];

/** Each part has an address of its own: `?part=keys`. */
export function Component() {
  const text = useText();
  const words = text.settings;
  const [search, setSearch] = useSearchParams();
  const { name, Part } = PARTS.find((part) => part.name === search.get("part")) ?? PARTS[0];
  return (
    <>
      <PageTitle title={words.title} lead={words.lead} />
      <Tabs
        value={name}
        onChange={(_event, part: string) => setSearch({ part }, { preventScrollReset: true })}
        variant="scrollable"
        scrollButtons={false}
        aria-label={words.parts}
        sx={{
          mb: { xs: 2.5, md: 4 },
          mx: { xs: -2, sm: 0 },
          px: { xs: 1, sm: 0 },
          minHeight: 48,
          boxShadow: "inset 0 -1px 0 var(--mui-palette-divider)",
          "& .MuiTabs-indicator": { height: 3, borderRadius: "3px 3px 0 0" },
        }}
      >
        {PARTS.map(({ name: part, icon: Icon }) => (
          <Tab
            key={part}
            value={part}
            id={`settings-tab-${part}`}
            aria-controls={`settings-panel-${part}`}
            label={words[part]}
            icon={<Icon size={18} aria-hidden />}
            iconPosition="start"
            sx={{ minHeight: 48, px: { xs: 1.5, sm: 2 }, gap: 0.5, fontSize: "0.9375rem", minWidth: 0 }}
          />
        ))}
      </Tabs>
      <Box role="tabpanel" id={`settings-panel-${name}`} aria-labelledby={`settings-tab-${name}`}>
        <Suspense fallback={<PageLoading />}>
          <Part />
        </Suspense>
      </Box>
    </>
  );
}
