import type { ComponentChildren } from "preact";
import { IMAGE_SHAPE, type LayerKind } from "../../network.ts";
import { MOST_LAYERS } from "../../network-check.ts";
import { count } from "../../ui/numbers.ts";
import { PANEL } from "./box.tsx";
import { draft, INPUT, select, selected, wishFocus } from "./editor.ts";
import { canAdd, canMove, canRemove, moved, withNew, without } from "./edits.ts";
import { LayerKnobs } from "./layer-knobs.tsx";
import { LAYER_CHOICES, parameterFormula, purposeOf, titleOf } from "./words.ts";

/** What one can do with a layer. */
export function LayerPanel({ at }: { at: number }) {
  const network = draft.network.value;
  const layer = network.layers[at]!;
  const last = at === network.layers.length - 1;
  const known = draft.description.value?.layers;
  const name = known?.[at]?.name;
  const formula = parameterFormula(layer, known?.[at - 1]?.outputShape ?? IMAGE_SHAPE);
  return (
    <Panel title={titleOf(layer, last)} name={name} purpose={purposeOf(layer, last)}>
      <LayerKnobs at={at} />
      <p class="formula">
        {known?.[at] && formula
          ? `${formula} = ${count(known[at].parameters)} parameters`
          : known?.[at]
            ? "Nothing to learn: no parameters."
            : "No parameters yet: this layer does not fit, or one before it."}
      </p>
      {!last && <MoveButtons at={at} />}
      {!last && <AddButtons before={at + 1} />}
    </Panel>
  );
}

/** The images themselves. */
export function InputPanel() {
  const [rows, columns] = IMAGE_SHAPE;
  const purpose = `One handwritten digit: ${rows} × ${columns} pixels, from 0, black, to 1, white. One channel, since it is grey.`;
  return (
    <Panel title="Input" name={undefined} purpose={purpose}>
      <AddButtons before={INPUT + 1} />
    </Panel>
  );
}

function Panel(props: { title: string; name: string | undefined; purpose: string; children: ComponentChildren }) {
  const { title, name, purpose, children } = props;
  return (
    <div id={PANEL} class="sheet net-panel">
      <div>
        <h3>
          {title} {name && <code>{name}</code>}
        </h3>
        <p class="soft">{purpose}</p>
      </div>
      {children}
    </div>
  );
}

function MoveButtons({ at }: { at: number }) {
  const network = draft.network.value;
  const move = (by: -1 | 1) => {
    draft.change(moved(network, at, by));
    selected.value = at + by;
    wishFocus(`[data-move="${by}"]:enabled`, "[data-move]:enabled");
  };
  const remove = () => {
    draft.change(without(network, at));
    select(at - 1);
  };
  return (
    <p class="buttons">
      <MoveButton by={-1} disabled={!canMove(network, at, -1)} label="Move earlier" onMove={move} />
      <MoveButton by={1} disabled={!canMove(network, at, 1)} label="Move later" onMove={move} />
      <button type="button" class="quiet" disabled={!canRemove(network, at)} onClick={remove}>
        Remove
      </button>
    </p>
  );
}

function MoveButton(props: { by: -1 | 1; disabled: boolean; label: string; onMove: (by: -1 | 1) => void }) {
  const { by, disabled, label, onMove } = props;
  return (
    <button type="button" class="quiet" data-move={by} disabled={disabled} onClick={() => onMove(by)}>
      {label}
    </button>
  );
}

function AddButtons({ before }: { before: number }) {
  const network = draft.network.value;
  const room = canAdd(network);
  const add = (kind: LayerKind) => {
    draft.change(withNew(network, before, kind));
    select(before);
  };
  return (
    <div class="add">
      <span class="soft">{room ? "Add after it" : `No more than ${MOST_LAYERS} layers`}</span>
      {LAYER_CHOICES.map(({ kind, label }) => (
        <button
          key={kind}
          type="button"
          class="quiet"
          disabled={!room}
          aria-label={`Add after it: ${label}`}
          onClick={() => add(kind)}
        >
          + {label}
        </button>
      ))}
    </div>
  );
}
