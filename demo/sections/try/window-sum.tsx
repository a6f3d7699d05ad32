import { useState } from "preact/hooks";
import type { LayerView } from "../../engine/reader.ts";
import { NumberKnob } from "../../ui/knobs.tsx";
import { short } from "../../ui/numbers.ts";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { channelOf, type Sliding, under, windowOf } from "./geometry.ts";
import { cell, weights } from "./state.ts";

interface WindowSumProps {
  readonly view: LayerView;
  readonly spec: Sliding;
  /** Of the feature map. */
  readonly unit: number;
  readonly input: { readonly shape: readonly number[]; readonly data: Float32Array };
}

/** A feature map beside its input: the window under the pointer, and its sum, mean or maximum in numbers. */
export function WindowSum({ view, spec, unit, input }: WindowSumProps) {
  const [rows, columns, maps] = view.shape as [number, number, number];
  const [height, width, channels] = input.shape as [number, number, number];
  const [asked, setAsked] = useState(0);
  const channel = spec.kind === "conv2d" ? Math.min(asked, channels - 1) : unit;
  const at = { row: Math.min(cell.value.row, rows - 1), column: Math.min(cell.value.column, columns - 1) };
  const map = channelOf(view.data, maps, unit);
  const plane = channelOf(input.data, channels, channel);
  const frame = windowOf(spec, input.shape, at);
  const window = under(plane, input.shape, frame);
  const value = map[at.row * columns + at.column]!;
  return (
    <>
      <h3>
        {view.name}, map {unit + 1}: row {at.row + 1}, column {at.column + 1} is{" "}
        <output id="try-value">{short(value, 4)}</output>
      </h3>
      <div class="figures">
        <figure>
          <figcaption>{channels === 1 ? "The drawing" : `Its input, map ${channel + 1} of ${channels}`}</figcaption>
          <PixelGrid values={plane} rows={height} columns={width} palette="input" frame={frame} label="Input" />
          {spec.kind === "conv2d" && channels > 1 && (
            <NumberKnob
              label={`Input map (1 to ${channels})`}
              value={channel + 1}
              min={1}
              max={channels}
              slider
              onChange={(number) => setAsked(number - 1)}
            />
          )}
        </figure>
        <figure>
          <figcaption>The feature map: point at a cell</figcaption>
          <PixelGrid
            values={map}
            rows={rows}
            columns={columns}
            palette="map"
            frame={{ ...at, rows: 1, columns: 1 }}
            label={`Feature map ${unit + 1} of ${view.name}`}
            onCell={(pointed) => {
              cell.value = pointed;
            }}
          />
        </figure>
        {spec.kind === "conv2d" ? (
          <ConvolutionSum spec={spec} input={input} frame={frame} channel={channel} value={value} />
        ) : (
          <figure>
            <figcaption>{spec.kind === "maxPooling2d" ? "The greatest" : "The mean"} of the window</figcaption>
            <PixelGrid
              values={window}
              rows={frame.rows}
              columns={frame.columns}
              palette="input"
              numbers
              label="Window"
            />
            <p class="sum">
              {spec.kind === "maxPooling2d" ? "max" : "mean"}({[...window].map((number) => short(number, 3)).join(", ")}
              ) = {short(value, 3)}
            </p>
          </figure>
        )}
      </div>
    </>
  );
}

/** The products of one input map, and what the other maps and the bias add. */
function ConvolutionSum(props: {
  spec: Extract<Sliding, { kind: "conv2d" }>;
  input: WindowSumProps["input"];
  frame: ReturnType<typeof windowOf>;
  channel: number;
  value: number;
}) {
  const { spec, input, frame, channel, value } = props;
  const known = weights.value;
  const channels = input.shape[2]!;
  const cells = frame.rows * frame.columns;
  if (known?.kernel.length !== cells * channels) return <p class="sum">Reading the weights …</p>;
  const kernels = Array.from({ length: channels }, (_, c) => channelOf(known.kernel, channels, c));
  const products = kernels.map((kernel, c) => {
    const window = under(channelOf(input.data, channels, c), input.shape, frame);
    return window.map((number, i) => number * kernel[i]!);
  });
  const sums = products.map((terms) => terms.reduce((a, b) => a + b, 0));
  const total = sums.reduce((a, b) => a + b, 0) + known.bias;
  const others = total - sums[channel]! - known.bias;
  return (
    <figure class="sums">
      <figcaption>
        Kernel, and its {cells} products with the window{channels > 1 && ` of map ${channel + 1}`}
      </figcaption>
      <div class="pair">
        <PixelGrid
          values={kernels[channel]!}
          rows={frame.rows}
          columns={frame.columns}
          palette="kernel"
          numbers
          label="Kernel"
        />
        <PixelGrid
          values={products[channel]!}
          rows={frame.rows}
          columns={frame.columns}
          palette="map"
          numbers
          label="Products"
        />
      </div>
      <p class="sum">
        Sum of the products {short(sums[channel]!, 4)}
        {channels > 1 && ` + the other ${channels - 1} maps ${short(others, 4)}`} + bias {short(known.bias, 4)} ={" "}
        {short(total, 4)}
        {spec.activation !== "linear" && (
          <>
            ; {spec.activation} makes it <b>{short(value, 4)}</b>
          </>
        )}
      </p>
    </figure>
  );
}
