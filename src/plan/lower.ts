import { FeaturemapError } from "../base/errors.ts";
import { addTensor, byteLength, type Graph, type TensorId, tensorOf } from "../graph/graph.ts";
import { type Asked, type OpTable, opNamed } from "../graph/op.ts";
import { seenThrough } from "../graph/rewrite.ts";
import {
  type AdapterClass,
  type Choice,
  type Choices,
  checkedTile,
  choiceOf,
  isTile,
  type MemoryMode,
} from "../graph/tile.ts";
import { type Interval, mostSlices, shareBuffers } from "./memory.ts";
import { LEAST_LIMITS, type MergeLimits, mergeIndependent, type NodeDispatch } from "./merge-dispatches.ts";
import { Plan, type PlanBuffer, type PlanStep } from "./plan.ts";
import { shippedTile } from "./shipped-tiles.ts";

export interface LowerOptions {
  readonly name: string;
  readonly adapter: AdapterClass;
  /** Tiles to use in place of the shipped ones, by node. */
  readonly choices?: Choices;
  /** Algorithms that took the place of nodes, for the record. */
  readonly algorithms?: Choices;
  /** The device's, which bound what `gpu` does in one dispatch. Default: those that every device has. */
  readonly limits?: MergeLimits | undefined;
  /** Default `fast`. */
  readonly memory?: MemoryMode;
  /** Keeps every node's dispatches apart, where a GPU's would be merged. Default false. */
  readonly apart?: boolean | undefined;
  /** Hears of every tile that `choices` leaves open. */
  readonly asked?: ((asked: Asked) => void) | undefined;
}

/**
 * Turns a graph, rewritten and in order, into a plan: nodes into kernel calls, tensors into buffers. Needs no GPU.
 *
 * @throws FeaturemapError `value` where a node has no kernels, or `choices` has a tile that it cannot use
 */
export function lower(ops: OpTable, graph: Graph, options: LowerOptions): Plan {
  const { limits = LEAST_LIMITS, memory = "fast" } = options;
  const choices = new Map<string, Choice>(Object.entries(options.algorithms ?? {}));
  const views = graph.nodes.filter(({ op }) => opNamed(ops, op).view);
  const calls = graph.nodes.flatMap((node): NodeDispatch[] => {
    const op = opNamed(ops, node.op);
    if (op.view) return [];
    if (!op.lower) {
      throw new FeaturemapError(
        "value",
        `"${node.name}" cannot run: its op "${node.op}" has no kernels and no rewrite replaced it.`,
      );
    }
    const inputs = node.inputs.map((id) => tensorOf(graph, id));
    const made = op.lower({
      node,
      attributes: node.attributes,
      inputs,
      outputs: node.outputs.map((id) => tensorOf(graph, id)),
      adapter: options.adapter,
      tile: (request) => {
        const choice = choiceOf(options.choices ?? {}, node.name);
        if (isTile(choice)) {
          choices.set(node.name, choice);
          return checkedTile(choice, request, node.name);
        }
        const shipped = shippedTile(options.adapter, request);
        const most = mostSlices(memory, request);
        const tile = { ...shipped, slices: Math.min(shipped.slices, most) };
        options.asked?.({ node, inputs, request, mostSlices: most, chosen: tile });
        choices.set(node.name, tile);
        return tile;
      },
      storageBuffers: limits.maxStorageBuffersPerShaderStage,
      scratch: (name, spec) => addTensor(graph, `${node.name}/${name}`, "scratch", spec),
    });
    return made.map((dispatch) => ({ ...dispatch, node: node.name }));
  });

  const storage = seenThrough(views);
  // A software adapter gains nothing: it runs a dispatch after another with little between.
  const dispatches = options.adapter === "gpu" && !options.apart ? mergeIndependent(calls, storage, limits) : calls;
  const { buffers, bufferOf } = assign(graph, dispatches, storage);
  const steps = dispatches.map(({ node, kernel, shader, bind, workgroups }): PlanStep => {
    const used = shader.bindings.map(({ name }) => bufferOf.get(storage(bind[name]!))!);
    return { node, kernel, shader, buffers: used, workgroups };
  });
  for (const id of views.flatMap(({ outputs }) => outputs)) {
    const buffer = bufferOf.get(storage(id));
    if (buffer !== undefined) bufferOf.set(id, buffer);
  }
  return new Plan({ name: options.name, buffers, steps, bufferOf, choices: Object.fromEntries(choices) });
}

/** Gives every tensor that a dispatch binds its buffer; scratch tensors share, by when they are live. */
function assign(graph: Graph, dispatches: readonly NodeDispatch[], storage: (id: TensorId) => TensorId) {
  const live = new Map<TensorId, { first: number; last: number }>();
  const use = (id: TensorId, step: number) => live.set(id, { first: live.get(id)?.first ?? step, last: step });
  dispatches.forEach(({ bind }, step) => {
    for (const id of Object.values(bind)) use(storage(id), step);
  });
  // What somebody wants to see stays as it is until the step's end.
  for (const id of graph.results.map(storage)) if (live.has(id)) use(id, dispatches.length);

  const buffers: PlanBuffer[] = [];
  const bufferOf = new Map<TensorId, number>();
  const scratch: TensorId[] = [];
  for (const id of live.keys()) {
    const tensor = tensorOf(graph, id);
    if (tensor.role === "scratch") scratch.push(id);
    else {
      bufferOf.set(id, buffers.length);
      buffers.push({ label: tensor.name, bytes: byteLength(tensor), bound: id });
    }
  }
  const needs = scratch.map((id): Interval => ({ bytes: byteLength(tensorOf(graph, id)), ...live.get(id)! }));
  const shared = shareBuffers(needs);
  const first = buffers.length;
  const tenants = shared.sizes.map((): string[] => []);
  scratch.forEach((id, j) => {
    const buffer = shared.bufferOf[j]!;
    tenants[buffer]!.push(tensorOf(graph, id).name);
    bufferOf.set(id, first + buffer);
  });
  shared.sizes.forEach((bytes, i) => {
    buffers.push({ label: tenants[i]!.join(", "), bytes });
  });
  return { buffers, bufferOf };
}
