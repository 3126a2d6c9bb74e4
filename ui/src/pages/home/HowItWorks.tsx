import { useText } from "../../text";

/** Three sentences on what goes on behind the pages. */
export function HowItWorks() {
  const text = useText();
  return (
    <section className="how">
      <h2>{text.home.howTitle}</h2>
      <ol>
        {text.home.how.map(({ title, text: words }, n) => (
          <li key={title}>
            <span className="how-number">{n + 1}</span>
            <h3>{title}</h3>
            <p>{words}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
