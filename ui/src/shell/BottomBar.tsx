import { NavLink } from "react-router";
import { pages } from "../pages";
import { useText } from "../text";

/** The pages, in reach of the thumb on a phone. */
export function BottomBar() {
  const text = useText();
  return (
    <nav aria-label={text.shell.pages} className="bottom-bar">
      {pages.map(({ path, name, icon: Icon }) => (
        <NavLink key={path} to={path} end={path === "/"}>
          <Icon aria-hidden />
          {text.shell[name]}
        </NavLink>
      ))}
    </nav>
  );
}
