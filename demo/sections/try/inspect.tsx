import { DenseSum } from "./dense-sum.tsx";
import { isSliding } from "./geometry.ts";
import { inputOf, late, layers, selection } from "./state.ts";
import { WindowSum } from "./window-sum.tsx";

/** One unit, closely: what it looks at, and the sum that made each of its numbers. */
export function Inspect() {
  const { layer, unit } = selection.value;
  const view = layers.value[layer];
  if (!view) return null;
  const input = inputOf(layer);
  return (
    <section class={late.value ? "inspect sheet late" : "inspect sheet"} aria-label={`${view.name}, unit ${unit + 1}`}>
      {isSliding(view.spec) ? (
        <WindowSum view={view} spec={view.spec} unit={unit} input={input} />
      ) : (
        <DenseSum view={view} unit={unit} input={input.data} />
      )}
    </section>
  );
}
