import type { LayerView } from "../../engine/reader.ts";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { MapStrip } from "./map-strip.tsx";
import { layers, selection } from "./state.ts";

/** The drawing's way through the layers: every feature map and neuron, to be picked. */
export function Path() {
  const { layer: chosen, unit } = selection.value;
  return (
    <ol class="path">
      {layers.value.map((view, layer) => {
        if (view.spec.kind === "flatten") return null;
        const select = (unit: number) => {
          selection.value = { layer, unit };
        };
        const selected = layer === chosen ? unit : undefined;
        return (
          <li key={view.name}>
            <h3>
              {view.name} <small>{view.shape.join(" × ")}</small>
            </h3>
            {view.shape.length === 3 ? (
              <MapStrip view={view} selected={selected} onSelect={select} />
            ) : (
              <Neurons view={view} selected={selected} onSelect={select} />
            )}
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
  const frame =
    selected === undefined
      ? undefined
      : { row: Math.floor(selected / columns), column: selected % columns, rows: 1, columns: 1 };
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
        label={`The ${units} outputs of ${view.name}`}
        onCell={({ row, column }) => onSelect(Math.min(units - 1, row * columns + column))}
      />
    </div>
  );
}
