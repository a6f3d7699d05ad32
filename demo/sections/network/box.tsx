import { selected } from "./editor.ts";
import { Picture, type Window } from "./picture.tsx";

export const PANEL = "network-panel";

interface BoxProps {
  readonly at: number;
  readonly title: string;
  readonly options: string;
  /** The library's, as its messages say it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Shape and parameters, as they are written. */
  readonly figures: readonly [shape: string, parameters: string];
  readonly tint: string;
  readonly window: Window | undefined;
  readonly broken?: boolean;
  onKeyDown(event: KeyboardEvent): void;
}

/** One layer of the diagram: a button that opens its knobs. */
export function Box(props: BoxProps) {
  const { at, title, options, name, shape, figures, tint, window, broken = false, onKeyDown } = props;
  const [size, parameters] = figures;
  const open = selected.value === at;
  return (
    <button
      type="button"
      class={broken ? "box broken" : "box"}
      data-box={at}
      aria-expanded={open}
      aria-controls={open ? PANEL : undefined}
      aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight Delete"
      onClick={() => {
        selected.value = open ? undefined : at;
      }}
      onKeyDown={onKeyDown}
    >
      <Picture shape={shape} tint={tint} window={window} />
      <span class="box-name">
        <b>{title}</b>
        <span class="soft">{options}</span>
        <code>{breakable(name)}</code>
      </span>
      <span class="box-figures">
        <b>{size}</b>
        <span>{parameters}</span>
        <span class="soft">{parameters && "parameters"}</span>
      </span>
    </button>
  );
}

/** Long names break after an underscore. */
function breakable(name: string) {
  return name.split("_").flatMap((part, i) => (i === 0 ? [part] : ["_", <wbr key={i} />, part]));
}
