import functionsSource from "../../../shaders/activation/lib/functions.wgsl";
import sumsLibrary from "../../../shaders/normalization/lib/gradient_sums.wgsl";
import incomingSource from "../../../shaders/normalization/lib/incoming.wgsl";
import gradientSource from "../../../shaders/normalization/normalization_gradient.wgsl";
import sumsSource from "../../../shaders/normalization/normalization_gradient_sums.wgsl";
import totalSource from "../../../shaders/normalization/normalization_gradient_total.wgsl";
import { defineOp, type LowerContext, type Rewrite, typed } from "../../graph/op.ts";
import type { TensorId, TensorSpec } from "../../graph/tensor.ts";
import { type Dispatch, dispatch, type Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import { type Epilogue, storedGradient } from "../product/epilogue.ts";
import { lanesFor, positionsOf, runsFor, statisticsCall } from "./channels.ts";

const sumsKernel: Kernel<{
  state: "read";
  dy: "read";
  activated: "read?";
  source: "read";
  moments: "read?";
  mean: "read?";
  variance: "read?";
  partial: "write?";
  dgamma: "write?";
  dbeta: "write?";
  means: "write?";
}> = sumsSource;

const totalKernel: Kernel<{
  state: "read?";
  partial: "read";
  dgamma: "write?";
  dbeta: "write?";
  means: "write?";
}> = totalSource;

const kernel: Kernel<{
  state: "read?";
  dy: "read";
  activated: "read?";
  source: "read?";
  in: "read?";
  moments: "read?";
  mean: "read?";
  variance: "read?";
  gamma: "read?";
  means: "read?";
  dx: "write";
}> = gradientSource;

type Inputs =
  | "dy"
  | "source"
  | "state"
  | "moments?"
  | "mean?"
  | "variance?"
  | "gamma?"
  // The output of an activation that dy comes through.
  | "activated?"
  // The output of the activation below.
  | "x?";

interface Attributes extends Pick<Epilogue, "gradientActivation"> {
  readonly epsilon: number;
  /** Which gradients there are. */
  readonly wanted: Readonly<Record<"x" | "gamma" | "beta", boolean>>;
  /** The activation that made `activated`: dy is multiplied by its derivative. */
  readonly incomingActivation?: Activation | undefined;
}

/**
 * dy = activationGradient(g, z), which only a normalization's gradient reads, is computed there. Late, since a kernel that makes g
 * may have a place for it too, and then computes it once.
 */
const fuseIncoming: Rewrite = {
  op: "activationGradient",
  late: true,
  apply: (edit, node) => {
    const dy = node.outputs.dx!;
    const [reader] = edit.readers(dy);
    if (reader?.op !== normalizationGradient.name || edit.usedElsewhere(dy, [reader])) return false;
    const times = Object.values(reader.inputs).filter((id) => id === dy).length;
    if (reader.inputs.dy !== dy || times > 1 || reader.attributes.incomingActivation !== undefined) return false;
    const change = {
      inputs: { dy: node.inputs.dy!, activated: node.inputs.y! },
      attributes: { incomingActivation: node.attributes.kind },
    };
    edit.replace([node, reader], [edit.changed(reader, change, reader.outputs)]);
    return true;
  },
};

/**
 * Gradients of a normalization. `source` is what was normalized: by `moments`, which are its own and which the gradient goes through
 * too, or by a mean and a variance that are given. dgamma and dbeta are sums over the rows in use.
 */
export const normalizationGradient = defineOp({
  name: "normalizationGradient",
  inputs: [
    "dy",
    "source",
    "state",
    "moments?",
    "mean?",
    "variance?",
    "gamma?",
    "activated?",
    "x?",
  ] satisfies readonly Inputs[],
  outputs: ["dx?", "dgamma?", "dbeta?"],
  attributes: typed<Attributes>(),
  infer: ({ source: { shape } }, { wanted }) => {
    const channels: TensorSpec = { shape: shape.slice(-1), dtype: "f32" };
    return {
      ...(wanted.x && { dx: { shape, dtype: "f32" } }),
      ...(wanted.gamma && { dgamma: channels }),
      ...(wanted.beta && { dbeta: channels }),
    };
  },
  fuses: ["derivative"],
  rewrites: [fuseIncoming],
  lower: (context) => {
    const { inputs, outputs, attributes, adapter, scratch } = context;
    const { dy, source, state, moments, activated, x } = inputs;
    const { dx, dgamma, dbeta } = outputs;
    const { channels, positions, sources } = positionsOf(source.shape);
    const means = moments && dx ? scratch("means", { shape: [2, channels], dtype: "f32" }) : undefined;
    const dispatches = dgamma || dbeta || means ? sumsOf(context, means) : [];
    if (!dx) return dispatches;
    const by = statisticsCall(inputs, { channels, epsilon: attributes.epsilon, scales: true });
    const { RUN, invocations } = runsFor({ channels, positions }, adapter);
    const store = storedGradient(attributes, dx.shape);
    // Then it is read once.
    const isSource = moments !== undefined && x?.id === source.id;
    return [
      ...dispatches,
      dispatchEach(kernel, invocations, {
        bind: {
          state: moments && state,
          dy,
          activated,
          source: moments && source,
          in: isSource ? undefined : x,
          ...by.bind,
          means,
          dx,
        },
        constants: { ...store.constants, RUN, IN_IS_SOURCE: isSource },
        libraries: [
          ...sources,
          ...by.libraries,
          ...incomingSources(attributes, channels),
          operand("source", channels),
          operand("means", channels),
          ...store.libraries,
        ],
      }),
    ];
  },
});

/** The sums over positions: dgamma, dbeta and, where the moments are the batch's, the means that dx wants. */
function sumsOf(
  { inputs, outputs, attributes, adapter, scratch }: LowerContext<Inputs, "dx?" | "dgamma?" | "dbeta?", Attributes>,
  means: TensorId | undefined,
): Dispatch<TensorId>[] {
  const { dy, source, state, activated } = inputs;
  const { dgamma, dbeta } = outputs;
  const { channels, positions, sources } = positionsOf(source.shape);
  const { slices, source: lanes, workgroups, partial, total } = lanesFor(channels, positions, adapter);
  const by = statisticsCall(inputs, { channels, epsilon: attributes.epsilon, scales: false });
  const ends = { dgamma, dbeta, means };
  const store: readonly Source[] = [
    {
      ...sumsLibrary,
      given: { HAS_DGAMMA: dgamma !== undefined, HAS_DBETA: dbeta !== undefined, HAS_MEANS: means !== undefined },
    },
    ...Object.keys(ends).map((letter) => output(letter, channels)),
  ];
  const parts = slices > 1 ? scratch("partial", partial) : undefined;
  const sums: Dispatch<TensorId> = dispatch(sumsKernel, {
    bind: { state, dy, activated, source, ...by.bind, ...(parts === undefined ? ends : { partial: parts }) },
    libraries: [
      ...sources,
      lanes,
      ...by.libraries,
      ...incomingSources(attributes, channels),
      // All but those that come in under other names.
      ...activationSources.slice(1),
      operand("source", channels),
      output("partial", channels),
      ...store,
    ],
    workgroups,
  });
  if (parts === undefined) return [sums];
  const added: Dispatch<TensorId> = dispatch(totalKernel, {
    bind: { state: means === undefined ? undefined : state, partial: parts, ...ends },
    libraries: [...sources, total.source, operand("partial", channels), ...store],
    workgroups: total.workgroups,
  });
  return [sums, added];
}

/** What dy is read by. The functions of an activation are there a second time, under other names, for the one that it comes through. */
function incomingSources({ incomingActivation }: Attributes, channels: number): readonly Source[] {
  const through = incomingActivation !== undefined;
  return [
    { ...incomingSource, given: { COMES_THROUGH: through } },
    {
      ...functionsSource,
      rename: { ACTIVATION: "INCOMING", activate: "activate_incoming", through: "past" },
      given: { GRADIENT_INCOMING: activationNumber(incomingActivation) },
    },
    operand("dy", channels),
    operand("activated", channels),
  ];
}
