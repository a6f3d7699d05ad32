import { useRef } from "preact/hooks";
import { ARTICLE } from "../../network.ts";
import { linkTo } from "../../state/address.ts";
import { architecture } from "../../state/architecture.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { count, megabytes } from "../../ui/numbers.ts";
import { Section } from "../../ui/section.tsx";
import { featuremapCode, kerasCode } from "./code.ts";
import { CodePanel } from "./code-panel.tsx";
import { Diagram } from "./diagram.tsx";
import { draft, selected } from "./editor.ts";
import { TrainingKnobs } from "./training-knobs.tsx";
import { parametersOf, roughMemory } from "./words.ts";

const INTRO = (
  <>
    <p>
      Layers in a row: each takes what the one before it gives. Convolutions and poolings turn one image into many
      smaller ones; dense layers turn those into ten probabilities. This is the article's network, until you change it.
    </p>
    <p>
      Choose a box to turn its knobs. The yellow square is the kernel that the next layer slides over this one, the
      outlined square a pool.
    </p>
  </>
);

export function Network() {
  return (
    <Section id="network" title="The network" intro={INTRO}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: undo by keyboard, from every knob within */}
      <div class="editor" onKeyDown={undone}>
        <Diagram />
        <div class="sheet settings">
          <TrainingKnobs />
          <Totals />
        </div>
        <Toolbar />
      </div>
      <Programs />
    </Section>
  );
}

function Totals() {
  const { layers = [], problem } = draft.description.value ?? {};
  const known = layers.length > 0 && !problem;
  return (
    <dl class="facts">
      <div>
        <dt>Parameters</dt>
        <dd data-parameters>{known ? count(parametersOf(layers)) : "?"}</dd>
      </div>
      <div>
        <dt>GPU memory to train, roughly</dt>
        <dd>{known ? `${megabytes(roughMemory(draft.network.value, layers))} MB` : "?"}</dd>
      </div>
    </dl>
  );
}

function Toolbar() {
  const link = useRef<HTMLElement>(null);
  const address = linkTo(architecture.value);
  const unfit = draft.description.value?.problem !== undefined;
  return (
    <div class="toolbar">
      <button type="button" class="quiet" disabled={!draft.canUndo.value} onClick={draft.undo}>
        Undo
      </button>
      <button type="button" class="quiet" disabled={!draft.canRedo.value} onClick={draft.redo}>
        Redo
      </button>
      <button
        type="button"
        class="quiet"
        disabled={draft.network.value === ARTICLE}
        onClick={() => {
          selected.value = 0;
          draft.change(ARTICLE);
        }}
      >
        Back to the article's network
      </button>
      <CopyButton label="Copy link" text={() => address} shown={link} />
      <code class="address" ref={link}>
        {address.slice(address.indexOf("#"))}
      </code>
      <p class="kept" role="status">
        {unfit &&
          "It does not fit yet, and is not trained. The code, the link and the rest of the page keep the last network that fits."}
      </p>
    </div>
  );
}

function Programs() {
  const network = architecture.value;
  return (
    <div class="programs">
      <CodePanel title="Keras" about="in Python" code={kerasCode(network)} />
      <CodePanel title="featuremap" about="in TypeScript" code={featuremapCode(network)} />
    </div>
  );
}

function undone(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  if (event.shiftKey) draft.redo();
  else draft.undo();
}
