import { FeaturemapError, flag } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import { type ColumnKind, type Columns, columnsFor, columnsOf } from "../data/columns.ts";
import { type AnyLayer, subject } from "../layers/layer.ts";
import type { LayerStack } from "./layer-stack.ts";
import type { Network } from "./network.ts";

/** Architecture of a model, whether its input's shape is known or not. */
export interface Architecture {
  /** Keras's class name. */
  readonly className: "Sequential" | "Functional";
  readonly layers: readonly { readonly layer: AnyLayer; readonly name: string }[];
  /** Network; `undefined` while the input's shape is unknown. */
  readonly network: Network | undefined;
  /** Names of the outputs, which are known before the network is. */
  readonly outputNames: readonly string[];
  /** Whether there is one output without a name of its own. `predict` then gives it as it is, not by name. */
  readonly isSingle: boolean;
  /** Gives the network for data of such inputs, and does not keep it. Throws a FeaturemapError if they do not suit the model. */
  networkFor(data: Pick<Columns, "columns">, where: string): Network;
  /** Keeps the network that `networkFor` gave. */
  keep(network: Network): void;
}

/**
 * Reads whether each layer is trainable, by name. An app may set it otherwise at any time, so `compile` keeps what it finds.
 *
 * @throws FeaturemapError `value` for something other than true or false
 */
export function trainableLayers({ layers }: Architecture): ReadonlyMap<string, boolean> {
  return new Map(
    layers.map(({ layer, name }) => [name, flag(layer.trainable ?? true, `${subject(layer.type, name)}: trainable`)]),
  );
}

/** Makes the architecture of layers in a row. */
export function stackArchitecture(stack: LayerStack): Architecture {
  return {
    className: "Sequential",
    get layers() {
      return stack.layers;
    },
    get network() {
      return stack.network;
    },
    get outputNames() {
      return stack.layers.slice(-1).map(({ name }) => name);
    },
    isSingle: true,
    networkFor: (data, where) => {
      const columns = columnsOf(data, "input");
      if (!stack.network) {
        const [column] = columnsFor([{ name: "input" }], columns, where);
        return stack.networkFor(column!.shape);
      }
      assertInputs(stack.network, columns, where);
      return stack.network;
    },
    keep: (network) => stack.build(network),
  };
}

/** Makes the architecture of a complete network. */
export function networkArchitecture(network: Network, isSingle: boolean): Architecture {
  return {
    className: "Functional",
    layers: network.layers,
    network,
    outputNames: network.outputs.map(({ name }) => name),
    isSingle,
    networkFor: (data, where) => {
      assertInputs(network, columnsOf(data, "input"), where);
      return network;
    },
    keep: () => {},
  };
}

/** @throws FeaturemapError `value` where a column is missing or spare; `shape` where one has another shape than its input */
function assertInputs({ inputs }: Network, columns: readonly ColumnKind[], where: string): void {
  columnsFor(inputs, columns, where).forEach(({ shape }, i) => {
    assertSample(inputs[i]!, shape, inputs.length > 1);
  });
}

function assertSample(input: { readonly name: string; readonly shape: Shape }, sample: Shape, several: boolean): void {
  if (sameShape(sample, input.shape)) return;
  const got = `${showShape(input.shape)} a sample, got ${showShape(sample)}`;
  const one = sample.length === input.shape.length - 1;
  const remedy = one ? " The first axis counts the samples, one too." : "";
  const what = several ? `The model's input "${input.name}"` : "The model";
  throw new FeaturemapError("shape", `${what} takes ${got}.${remedy}`);
}
