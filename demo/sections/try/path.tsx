import { useState } from "preact/hooks";
import type { LayerView } from "../../engine/reader.ts";
import type { LayerKind } from "../../network.ts";
import { type Cell, PixelGrid } from "../../ui/pixel-grid.tsx";
import { Inspect } from "./inspect.tsx";
import { MapStrip } from "./map-strip.tsx";
import { layers, select, selection } from "./state.ts";

/** Kinds of layers that let a drawing's numbers pass as they are. */
const PASSING: readonly LayerKind[] = ["dropout", "flatten"];

/** The drawing's way through the layers: every feature map and neuron, to be picked. */
export function Path() {
  const { layer: chosen, unit } = selection.value;
  return (
    <ol class="path">
      {layers.value.map((view, layer) => {
        if (PASSING.includes(view.spec.kind)) return null;
        const pick = (unit: number) => select({ layer, unit });
        const selected = layer === chosen ? unit : undefined;
        return (
          <li key={view.name}>
            <h3>
              {view.name} <small>{view.shape.join(" × ")}</small>
            </h3>
            {view.shape.length === 3 ? (
              <MapStrip view={view} selected={selected} onSelect={pick} />
            ) : (
              <Neurons view={view} selected={selected} onSelect={pick} />
            )}
            {layer === chosen && <Inspect />}
          </li>
        );
      })}
    </ol>
  );
}

const ACROSS = 50;

/** A dense layer's outputs, fifty a row. */
function Neurons(props: { view: LayerView; selected: number | undefined; onSelect: (unit: number) => void }) {
  const { view, selected, onSelect } = props;
  const units = view.shape[0]!;
  const columns = Math.min(ACROSS, units);
  const rows = Math.ceil(units / columns);
  const [pointed, setPointed] = useState<number>();
  const unitAt = ({ row, column }: Cell) => Math.min(units - 1, row * columns + column);
  const framed = pointed ?? selected;
  const frame =
    framed === undefined
      ? undefined
      : { row: Math.floor(framed / columns), column: framed % columns, rows: 1, columns: 1 };
  return (
    <div class={`neurons ${units <= ACROSS ? "few" : ""}`}>
      <PixelGrid
        values={view.data}
        rows={rows}
        columns={columns}
        shown={units}
        palette="map"
        numbers
        frame={frame}
        label={`The ${units} outputs of ${view.name}; Enter picks one`}
        onCell={(cell) => setPointed(unitAt(cell))}
        onPick={(cell) => onSelect(unitAt(cell))}
      />
    </div>
  );
}
