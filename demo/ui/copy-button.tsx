import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

type State = "idle" | "copied" | "refused";

const SAYS: Record<State, string> = { idle: "", copied: "Copied", refused: "Selected: copy it by hand" };
const SAID_MS = 4000;

/** Copies text; where the clipboard refuses, it selects what `shown` shows of it. */
export function CopyButton(props: { label: string; text: () => string; shown: RefObject<HTMLElement | null> }) {
  const { label, text, shown } = props;
  const state = useSignal<State>("idle");
  useEffect(() => {
    if (state.value === "idle") return;
    const timer = setTimeout(() => {
      state.value = "idle";
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [state.value]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      state.value = "copied";
    } catch {
      if (shown.current) selectAll(shown.current);
      state.value = "refused";
    }
  };
  return (
    <span class="copy">
      <button type="button" class="quiet" onClick={() => void copy()}>
        {label}
      </button>
      <span role="status">{SAYS[state.value]}</span>
    </span>
  );
}

function selectAll(element: HTMLElement): void {
  const selection = getSelection();
  selection?.removeAllRanges();
  const range = document.createRange();
  range.selectNodeContents(element);
  selection?.addRange(range);
}
