import incomingSource from "../../../shaders/pooling/lib/incoming_gradient.wgsl";
import pooledWindowSource from "../../../shaders/pooling/lib/pooled_window.wgsl";
import steppedSource from "../../../shaders/updates/lib/stepped.wgsl";
import { ceilDiv, type Shape } from "../../base/shape.ts";
import type { LowerContext } from "../../graph/op.ts";
import type { Tensor, TensorSpec } from "../../graph/tensor.ts";
import type { Constant } from "../../wgsl/expression.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { type Channels, operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import type { Pair } from "../window.ts";

/**
 * Epilogue: work that an op's kernels do as they load or store, in place of nodes of its own. An op lists in `fuses` what its kernels
 * can do. The rewrites of activations, poolings and updates then set these attributes (see `Fusion`).
 */
export interface Epilogue {
  /** Activation of y. */
  readonly activation?: Activation | undefined;
  /** Size of a pooling by windows that do not overlap: y is pooled, or dy comes through the pooling. */
  readonly pool?: Pair | undefined;
  /** Whether that pooling takes means in place of maxima. */
  readonly average?: boolean | undefined;
  /** Activation that made x: dx is multiplied by its derivative. */
  readonly gradientActivation?: Activation | undefined;
  /** Name of the op that steps the parameters, whose gradients are then not stored. */
  readonly update?: string | undefined;
}

/** Constants and libraries that an epilogue adds to the call of a kernel. */
export interface EpilogueCall {
  readonly constants: Readonly<Record<string, Constant>>;
  readonly libraries: readonly Source[];
}

/** Part of the call of a kernel that stores act(y + bias), or a pooling of it with routes. `y` is the shape before the pooling. */
export function storedOutput(epilogue: Epilogue, y: Shape, bias: Tensor | undefined): EpilogueCall {
  const channels = y.at(-1)!;
  return {
    constants: {
      ...poolConstants(epilogue, y),
      POOL: epilogue.pool !== undefined,
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationNumber(epilogue.activation),
    },
    libraries: [operand("bias", channels), output("y", channels), ...activationSources, pooledWindowSource],
  };
}

/** Part of the call of a kernel that loads dy, through a pooling if there is one. `y` is the shape before the pooling. */
export function incomingGradient(epilogue: Epilogue, y: Shape): EpilogueCall {
  return {
    constants: { UNPOOL: epilogue.pool !== undefined, ...poolConstants(epilogue, y) },
    libraries: [incomingSource],
  };
}

/** Part of the call of a kernel that stores dx * act'(in); `in` is bound to the activation's output x. */
export function storedGradient({ gradientActivation }: Epilogue, x: Shape): EpilogueCall {
  const channels = x.at(-1)!;
  return {
    constants: { GRADIENT_ACTIVATION: activationNumber(gradientActivation) },
    libraries: [operand("in", channels), output("dx", channels), ...activationSources],
  };
}

/** Gives the shape after a pooling by disjoint windows of this size. Rows and columns that fill no window are dropped. */
export function pooledImageShape([batch, h, w, c]: Shape, [poolH, poolW]: Pair): Shape {
  return [batch!, Math.floor(h! / poolH), Math.floor(w! / poolW), c!];
}

/** Describes the outputs of an op that may pool y [batch, height, width, channels]; it then makes the routes, too. */
export function pooledOutputs(y: Shape, pool: Pair | undefined): { y: TensorSpec; routes?: TensorSpec } {
  if (!pool) return { y: { shape: y, dtype: "f32" } };
  const shape = pooledImageShape(y, pool);
  const routes = [...shape.slice(0, 3), ceilDiv(y[3]!, 4)];
  return { y: { shape, dtype: "f32" }, routes: { shape: routes, dtype: "u32" } };
}

/** Gives the constants of `pooling/lib/pooled_window.wgsl`, and of the kernel that pools. */
export function poolConstants({ pool, average }: Epilogue, y: Shape): Record<string, Constant> {
  if (!pool) return {};
  const [, h, w] = pooledImageShape(y, pool);
  return { POOL_H: pool[0], POOL_W: pool[1], POOLED_H: h!, POOLED_W: w!, AVERAGE: average ?? false };
}

/**
 * Attributes of an op that makes the gradients of a layer's kernel and bias, or steps these in place. The op has the outputs `dkernel?`
 * and `dbias?`, and the inputs `kernel?`, `bias?` and `rate?`, which the update brings.
 */
export interface ParameterGradients extends Pick<Epilogue, "update"> {
  readonly hasBias: boolean;
}

/** Describes the gradients, whose last axis is the outputs. There are none if the parameters are stepped. */
export function parameterGradients(
  { hasBias, update }: ParameterGradients,
  kernel: Shape,
): { dkernel?: TensorSpec; dbias?: TensorSpec } {
  if (update !== undefined) return {};
  const dkernel = { shape: kernel, dtype: "f32" } as const;
  return hasBias ? { dkernel, dbias: { shape: kernel.slice(-1), dtype: "f32" } } : { dkernel };
}

/** Context in which such an op is lowered. */
export type ParametersContext = Pick<
  LowerContext<"kernel?" | "bias?" | "rate?", "dkernel?" | "dbias?", ParameterGradients>,
  "inputs" | "outputs" | "attributes" | "op"
>;

/** Gives what its kernels bind as `kernel`, `bias` and `rate`: the parameters, or their gradients. */
export function parameterBindings({ inputs, outputs, attributes }: ParametersContext) {
  const { kernel, bias, rate } = inputs;
  if (attributes.update !== undefined) return { kernel: kernel!, bias, rate };
  return { kernel: outputs.dkernel!, bias: outputs.dbias, rate: undefined };
}

/** Part of the call of its kernels, which call `put_kernel` and `put_bias`. `channelsSource` comes beside. `outputs` is the last axis. */
export function storedParameters(
  { attributes: { update }, op }: ParametersContext,
  outputs: number,
  channels: Channels = 4,
): EpilogueCall {
  const libraries = ["kernel", "bias"].flatMap((letter) => [
    output(letter, outputs, channels),
    { ...steppedSource, rename: { output: letter }, given: { [`${letter}_UPDATE`]: update !== undefined } },
  ]);
  const step = update === undefined ? [] : [op(update)!.inPlace!.library];
  return {
    constants: {},
    libraries: [...libraries, ...step],
  };
}
