import type { ComponentChildren } from "preact";

/** A section of the page: its heading, what it is about in a few sentences, and what one plays with. */
export function Section(props: { id: string; title: string; intro: ComponentChildren; children: ComponentChildren }) {
  const { id, title, intro, children } = props;
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div class="intro">{intro}</div>
      {children}
    </section>
  );
}
