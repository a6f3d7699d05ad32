/** Programs whose dispatches were written down as the ops made them, before they were merged and given buffers. */

import type { Graph, TensorId } from "../../src/graph/graph.ts";
import { type Op, type OpTable, opNamed, opTable } from "../../src/graph/op.ts";
import type { AdapterClass } from "../../src/graph/tile.ts";
import { type Layer, type Loss, type Optimizer, sgd } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import {
  LEAST_LIMITS,
  type MergeLimits,
  mergeIndependent,
  type NodeDispatch,
} from "../../src/plan/merge-dispatches.ts";
import {
  evaluationProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "../../src/program/programs.ts";
import { networkOf } from "./building.ts";

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

type Make = (options: ProgramOptions & { readonly loss: Loss; readonly optimizer: Optimizer }) => Program;

const PROGRAMS: Record<string, Make> = {
  training: trainingProgram,
  "training with gradients": (options) => trainingProgram({ ...options, keepGradients: true }),
  evaluation: evaluationProgram,
  prediction: predictionProgram,
};

/** Every kind of program of a network, for batches of 16. */
export function recordedPrograms(
  layers: () => readonly Layer[],
  adapter: AdapterClass,
  limits: MergeLimits = LEAST_LIMITS,
): RecordedProgram[] {
  return Object.entries(PROGRAMS).map(([name, make]) => {
    const network = networkOf(layers());
    const { watched, calls, graph } = recording();
    const named = lossNamed("categoricalCrossentropy");
    const loss = { ...named, ops: named.ops!.map(watched) };
    const own = opTable([...network.ops.values()].map(watched));
    Object.defineProperty(network, "ops", { get: () => own });
    const ops = opTable([...own.values()], loss.ops);
    const data = { sampleShape: network.inputShape!, sampleDtype: "f32", scale: 1 } as const;
    const program = make({ network, capacity: 16, data, adapter, choices: {}, limits, loss, optimizer: sgd() });
    const storage = storageOf(graph(), ops);
    const dispatches = adapter === "gpu" ? mergeIndependent(calls, storage, limits) : calls;
    return { name, program, calls, dispatches, storage };
  });
}

/** Makes ops that write down the dispatches that they make, and the graph. */
function recording() {
  const calls: NodeDispatch[] = [];
  let graph: Graph | undefined;
  const watched = (op: Op): Op => ({
    ...op,
    infer: (inputs, attributes, where) => op.infer(inputs, attributes, where),
    rewrites: [
      (edit) => {
        graph = edit.graph;
        return false;
      },
      ...(op.rewrites ?? []),
    ],
    ...(op.lower && {
      lower: (context) => {
        const made = op.lower!(context);
        calls.push(...made.map((dispatch) => ({ ...dispatch, node: context.node.name })));
        return made;
      },
    }),
  });
  return { watched, calls, graph: () => graph! };
}

function storageOf({ nodes }: Graph, ops: OpTable): (id: TensorId) => TensorId {
  const views = nodes.filter(({ op }) => opNamed(ops, op).view);
  const under = new Map(views.map(({ inputs, outputs }) => [outputs[0]!, inputs[0]!]));
  const storage = (id: TensorId): TensorId => (under.has(id) ? storage(under.get(id)!) : id);
  return storage;
}
