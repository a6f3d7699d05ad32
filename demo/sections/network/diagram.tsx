import { useLayoutEffect, useRef } from "preact/hooks";
import { IMAGE_SHAPE } from "../../network.ts";
import { count } from "../../ui/numbers.ts";
import { Box } from "./box.tsx";
import { draft, grantFocus, INPUT, select, selected } from "./editor.ts";
import { canMove, canRemove, moved, without } from "./edits.ts";
import { InputPanel, LayerPanel } from "./panel.tsx";
import { windowOf } from "./picture.tsx";
import { optionsOf, shapeText, titleOf } from "./words.ts";

/** The layers as boxes, from the image to the probabilities. The knobs of the chosen one open below its row. */
export function Diagram() {
  const list = useRef<HTMLOListElement>(null);
  useLayoutEffect(() => grantFocus(list.current!));
  const { layers } = draft.network.value;
  const { layers: described = [], problem } = draft.description.value ?? {};
  const at = selected.value;
  return (
    <ol class="net" ref={list}>
      <li>
        <Box
          at={INPUT}
          title="Input"
          options="grey image"
          name="the input"
          shape={IMAGE_SHAPE}
          figures={[shapeText(IMAGE_SHAPE), ""]}
          tint="image"
          window={windowOf(layers[0])}
          onKeyDown={(event) => keyed(event, INPUT)}
        />
        {at === INPUT && <InputPanel />}
      </li>
      {layers.map((layer, i) => {
        const last = i === layers.length - 1;
        const known = described[i];
        const broken = problem?.layer === i;
        return (
          <li key={i}>
            <Box
              at={i}
              title={titleOf(layer, last)}
              options={optionsOf(layer)}
              name={known?.name ?? ""}
              shape={known?.outputShape ?? []}
              figures={known ? [shapeText(known.outputShape), `${count(known.parameters)}`] : ["?", ""]}
              tint={last ? "output" : layer.kind}
              window={windowOf(layers[i + 1])}
              broken={broken}
              onKeyDown={(event) => keyed(event, i)}
            />
            {broken && (
              <p class="misfit" role="alert">
                {problem.message}
              </p>
            )}
            {at === i && <LayerPanel at={i} />}
          </li>
        );
      })}
    </ol>
  );
}

/** Arrows go from box to box, with Shift they move the layer; Delete takes it out. */
function keyed(event: KeyboardEvent, at: number): void {
  const network = draft.network.peek();
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : undefined;
  if (by && event.shiftKey) {
    if (canMove(network, at, by)) {
      draft.change(moved(network, at, by));
      select(at + by);
    }
  } else if (by) {
    const boxes = (event.currentTarget as Element).closest("ol")!;
    boxes.querySelector<HTMLElement>(`[data-box="${at + by}"]`)?.focus();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    if (canRemove(network, at)) {
      draft.change(without(network, at));
      select(at - 1);
    }
  } else return;
  event.preventDefault();
}
