/** Programs whose dispatches were written down as the ops made them, before they were merged and given buffers. */

import type { Op, Rewrite } from "../../src/graph/op.ts";
import type { Node, TensorId } from "../../src/graph/tensor.ts";
import type { AdapterClass } from "../../src/graph/tile.ts";
import { type LayerSpec, sgd } from "../../src/index.ts";
import {
  DEFAULT_LIMITS,
  type MergeLimits,
  mergeIndependent,
  type NodeDispatch,
} from "../../src/plan/merge-dispatches.ts";
import {
  evaluationProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  type TrainingOptions,
  trainingProgram,
} from "../../src/program/programs.ts";
import { networkOf } from "./building.ts";
import { opFor, withOps } from "./ops.ts";
import { inputsOf, measuresOf } from "./programs.ts";

/** Not even kernels without workgroup memory fit together. */
export const MERGE_NOTHING: MergeLimits = { maxStorageBuffersPerShaderStage: 10, maxComputeWorkgroupStorageSize: -1 };
export const MERGE_MOST: MergeLimits = { maxStorageBuffersPerShaderStage: 16, maxComputeWorkgroupStorageSize: 32768 };

export interface RecordedProgram {
  readonly name: string;
  readonly program: Program;
  /** What the ops made, in order, with the graph's tensors. */
  readonly calls: readonly NodeDispatch[];
  /** The same, merged as the plan's class of adapter asks for. */
  readonly dispatches: readonly NodeDispatch[];
  /** The tensor whose buffer a tensor is seen through. */
  readonly storage: (id: TensorId) => TensorId;
}

type Make = (options: ProgramOptions & TrainingOptions) => Program;

const PROGRAMS: Record<string, Make> = {
  training: trainingProgram,
  "training with gradients": (options) => trainingProgram({ ...options, keepGradients: true }),
  evaluation: evaluationProgram,
  prediction: predictionProgram,
};

/** Every kind of program of a network, for batches of 16. */
export function recordedPrograms(
  layers: () => readonly LayerSpec[],
  adapter: AdapterClass,
  limits: MergeLimits = DEFAULT_LIMITS,
): RecordedProgram[] {
  return Object.entries(PROGRAMS).map(([name, make]) => {
    const network = networkOf(layers());
    const { watched, calls, nodes } = recording();
    const training = { measures: measuresOf(network), optimizer: sgd() };
    const options = { network, capacity: 16, columns: inputsOf(network), adapter, choices: {}, limits, ...training };
    const program = withOps(watched, () => make(options));
    const storage = storageOf(nodes());
    const mayMerge = adapter === "gpu" ? () => true : ({ isShort }: NodeDispatch) => isShort;
    const dispatches = mergeIndependent(calls, storage, limits, mayMerge);
    return { name, program, calls, dispatches, storage };
  });
}

/** Changes ops so that they write down the dispatches that they make, and the nodes after rewriting. */
function recording() {
  const calls: NodeDispatch[] = [];
  let nodes: readonly Node[] = [];
  const watched = (op: Op): Partial<Op> => {
    const watch: Rewrite = {
      op: op.name,
      late: true,
      apply: (edit) => {
        nodes = edit.nodes;
        return false;
      },
    };
    const lower: Op["lower"] = (context) => {
      const made = op.lower!(context);
      const isShort = op.sharesDispatch ?? false;
      calls.push(...made.map((dispatch) => ({ ...dispatch, node: context.node.name, isShort })));
      return made;
    };
    return { rewrites: [...(op.rewrites ?? []), watch], ...(op.lower && { lower }) };
  };
  return { watched, calls, nodes: () => nodes };
}

function storageOf(nodes: readonly Node[]): (id: TensorId) => TensorId {
  const views = nodes.filter(({ op }) => opFor(op).view);
  const under = new Map(views.map(({ inputs, outputs }) => [outputs.y!, inputs.x!]));
  const storage = (id: TensorId): TensorId => (under.has(id) ? storage(under.get(id)!) : id);
  return storage;
}
