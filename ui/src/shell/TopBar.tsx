import { Link, NavLink } from "react-router";
import { pages } from "../pages";
import { useText } from "../text";
import { Account } from "./Account";
import { ColorSchemeToggle } from "./ColorSchemeToggle";
import { LanguageSwitch } from "./LanguageSwitch";
import { Logo } from "./Logo";

/** The name, the pages (on wide screens) and the switch of colours. */
export function TopBar() {
  const text = useText();
  return (
    <header className="top-bar">
      <div className="top-bar-row">
        <Link to="/" aria-label={text.name} className="top-bar-name">
          <Logo size={32} />
          {text.name}
        </Link>
        <nav aria-label={text.shell.pages} className="top-bar-pages">
          {pages.map(({ path, name }) => (
            <NavLink key={path} to={path} end={path === "/"}>
              {text.shell[name]}
            </NavLink>
          ))}
        </nav>
        <div className="top-bar-buttons">
          <Account />
          <LanguageSwitch />
          <ColorSchemeToggle />
        </div>
      </div>
    </header>
  );
}
