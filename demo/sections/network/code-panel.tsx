import { useRef } from "preact/hooks";
import { CopyButton } from "../../ui/copy-button.tsx";
import { highlight } from "./highlight.ts";

/** A program, as it can be run elsewhere. */
export function CodePanel({ title, about, code }: { title: string; about: string; code: string }) {
  const shown = useRef<HTMLElement>(null);
  return (
    <figure class="sheet code">
      <figcaption>
        <span>
          <b>{title}</b> {about}
        </span>
        <CopyButton label="Copy" text={() => code} shown={shown} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      {/* biome-ignore lint/a11y/useSemanticElements: a section is what the page is made of */}
      <pre tabIndex={0} role="region" aria-label={`${title} code`}>
        <code ref={shown}>
          {highlight(code).map(({ kind, text }, i) =>
            kind === "plain" ? (
              text
            ) : (
              <span key={i} class={kind}>
                {text}
              </span>
            ),
          )}
        </code>
      </pre>
    </figure>
  );
}
