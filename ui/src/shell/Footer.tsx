import { useStatus } from "../api/status";
import { projectSite } from "../links";
import { useText } from "../text";

/** How the system is, and where the project lives. */
export function Footer() {
  const text = useText();
  const { data: status } = useStatus();
  return (
    <footer className="footer">
      {status && (
        <span className={status.ready ? "footer-state ready" : "footer-state"}>
          {status.ready ? text.shell.ready : text.shell.notReady}
        </span>
      )}
      {status && <span>{text.shell.version(status.version)}</span>}
      {projectSite && (
        <a href={projectSite} target="_blank" rel="noreferrer" title={text.shell.opensElsewhere}>
          {text.shell.project}
        </a>
      )}
    </footer>
  );
}
