import { FeaturemapError } from "../base/errors.ts";
import { addTensor, copyOf, type Graph, opOf, tensorOf } from "../graph/graph.ts";
import type { OpenChoice } from "../graph/op.ts";
import { storageOf } from "../graph/rewrite.ts";
import { byteLength, type Node, outputsOf, type TensorId } from "../graph/tensor.ts";
import {
  type AdapterClass,
  type Choice,
  type Choices,
  checkedTile,
  choiceOf,
  isTile,
  type MemoryMode,
} from "../graph/tile.ts";
import { type Interval, maxSlices, shareBuffers } from "./memory.ts";
import { DEFAULT_LIMITS, type MergeLimits, mergeIndependent, type NodeDispatch } from "./merge-dispatches.ts";
import { Plan, type PlanBuffer, type PlanStep } from "./plan.ts";
import { shippedTile } from "./shipped-tiles.ts";

export interface LowerOptions {
  readonly name: string;
  readonly adapter: AdapterClass;
  /** Tiles to use in place of the shipped ones, by node. */
  readonly choices?: Choices;
  /** Algorithms that took the place of nodes, to be written into the plan. */
  readonly algorithms?: Choices;
  /** Limits of the device, which bound merged dispatches on a GPU. Default: those that every device has. */
  readonly limits?: MergeLimits | undefined;
  /** Use of memory. Default `fast`. */
  readonly memory?: MemoryMode;
  /** Whether each node keeps dispatches of its own. Otherwise they are merged for GPUs. Default false. */
  readonly unmerged?: boolean | undefined;
  /** Called with every tile that `choices` leaves open. */
  readonly onOpenChoice?: ((open: OpenChoice) => void) | undefined;
}

/**
 * Turns a graph, rewritten and in order, into a plan: nodes into kernel calls, tensors into buffers. It needs no GPU, and leaves the
 * graph as it was.
 *
 * @throws FeaturemapError `value` where a node has no kernels, or `choices` has a tile that it cannot use
 */
export function lower(original: Graph, options: LowerOptions): Plan {
  // A copy, since nodes add tensors of their own.
  const graph = copyOf(original);
  const { limits = DEFAULT_LIMITS, memory = "fast" } = options;
  const choices = new Map<string, Choice>(Object.entries(options.algorithms ?? {}));
  const views = graph.nodes.filter((node) => opOf(graph, node).view);
  const calls = graph.nodes.flatMap((node): NodeDispatch[] => {
    const op = opOf(graph, node);
    if (op.view) return [];
    if (!op.lower) {
      throw new FeaturemapError(
        "value",
        `"${node.name}" cannot run: its op "${node.op}" has no kernels and no rewrite replaced it.`,
      );
    }
    const tensors = (ids: Node["inputs"]) =>
      Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, tensorOf(graph, id)]));
    const inputs = tensors(node.inputs);
    const made = op.lower({
      node,
      attributes: node.attributes,
      inputs,
      outputs: tensors(node.outputs),
      adapter: options.adapter,
      tile: (request) => {
        const choice = choiceOf(options.choices ?? {}, node.name);
        if (isTile(choice)) {
          choices.set(node.name, choice);
          return checkedTile(choice, request, node.name);
        }
        const shipped = shippedTile(options.adapter, request);
        const most = maxSlices(memory, request);
        const tile = { ...shipped, slices: Math.min(shipped.slices, most) };
        options.onOpenChoice?.({ node, inputs: Object.values(inputs), request, maxSlices: most, chosen: tile });
        choices.set(node.name, tile);
        return tile;
      },
      storageBuffers: limits.maxStorageBuffersPerShaderStage,
      op: (name) => graph.ops.get(name),
      scratch: (name, spec) => addTensor(graph, `${node.name}/${name}`, "scratch", spec),
    });
    return made.map((dispatch) => ({ ...dispatch, node: node.name, isShort: op.sharesDispatch ?? false }));
  });

  const storage = storageOf(views);
  // A software adapter takes little time between dispatches, so it gains only from merging short ones.
  const mayMerge = options.adapter === "gpu" ? () => true : ({ isShort }: NodeDispatch) => isShort;
  const dispatches = options.unmerged ? calls : mergeIndependent(calls, storage, limits, mayMerge);
  const { buffers, bufferOf } = assign(graph, dispatches, storage);
  const steps = dispatches.map(({ node, kernel, shader, bind, workgroups }): PlanStep => {
    const used = shader.bindings.map(({ name }) => bufferOf.get(storage(bind[name]!))!);
    return { node, kernel, shader, buffers: used, workgroups };
  });
  for (const id of views.flatMap(outputsOf)) {
    const buffer = bufferOf.get(storage(id));
    if (buffer !== undefined) bufferOf.set(id, buffer);
  }
  return new Plan({ name: options.name, buffers, steps, bufferOf, choices: Object.fromEntries(choices) });
}

/** Assigns a buffer to every tensor that a dispatch binds. Scratch tensors share buffers if they are live at different times. */
function assign(graph: Graph, dispatches: readonly NodeDispatch[], storage: (id: TensorId) => TensorId) {
  const live = new Map<TensorId, { first: number; last: number }>();
  const use = (id: TensorId, step: number) => live.set(id, { first: live.get(id)?.first ?? step, last: step });
  dispatches.forEach(({ bind }, step) => {
    for (const id of Object.values(bind)) use(storage(id), step);
  });
  // Results are live until the step's end, so that they can be read then.
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
