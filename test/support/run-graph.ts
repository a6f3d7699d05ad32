import { readBuffers } from "../../src/gpu/readback.ts";
import { createRuntime, type Runtime } from "../../src/gpu/runtime.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { addNode, addTensor, emptyGraph, type Graph, opOf, tensorOf } from "../../src/graph/graph.ts";
import type { Add, Op } from "../../src/graph/op.ts";
import { rewrite } from "../../src/graph/rewrite.ts";
import { byteLength, type TensorId } from "../../src/graph/tensor.ts";
import type { AdapterClass, Tile } from "../../src/graph/tile.ts";
import { add } from "../../src/ops/elementwise/add.ts";
import { fill } from "../../src/ops/elementwise/fill.ts";
import { prepare } from "../../src/plan/executable.ts";
import { lower } from "../../src/plan/lower.ts";
import type { MergeLimits } from "../../src/plan/merge-dispatches.ts";
import { opFor } from "./ops.ts";

let shared: Promise<Runtime> | undefined;

/** One device for all tests of a file. */
export function testRuntime(): Promise<Runtime> {
  shared ??= createRuntime();
  return shared;
}

/** Whether the device can run tiles that are quads. Naga cannot, so that no test of quads runs in Deno. */
export const quadsRun = (await testRuntime()).device.features.has("subgroups");

/** Four lanes, each of `blocksM` x `blocksN` blocks of its own, that pass their rows around. */
export function quadTile(blocksM: number, blocksN: number, slices = 1): Tile {
  return { blocksM, blocksN, workgroupM: 4, workgroupN: 1, slices, quad: true };
}

/** The same in pairs, each with a slice of its own. */
export function pairsTile(blocksM: number, blocksN: number, slices = 1): Tile {
  return { blocksM, blocksN, workgroupM: 2, workgroupN: 1, workgroupZ: 2, slices, quad: true, turns: 2 };
}

/** Four lanes, each with a slice of its own. */
export function singlesTile(blocksM: number, blocksN: number, slices = 1): Tile {
  return { blocksM, blocksN, workgroupM: 1, workgroupN: 1, workgroupZ: 4, slices };
}

export type Values = Float32Array | Uint32Array | Int32Array | readonly number[] | Float64Array;

/** Builds a graph out of values and runs it once: what the tests of single ops use. */
export class GraphRun {
  /** What was built; after `read`, what it was rewritten to. */
  graph: Graph = emptyGraph();
  readonly #values = new Map<TensorId, Values>();
  #rows = 0xffffffff;
  #step = 0;

  /** Rows of the batch in use. */
  rows(rows: number): this {
    this.#rows = rows;
    return this;
  }

  /** Steps made before. */
  step(step: number): this {
    this.#step = step;
    return this;
  }

  input(name: string, shape: readonly number[], values: Values, dtype: "f32" | "u32" = "f32"): TensorId {
    const id = addTensor(this.graph, name, "state", { shape, dtype });
    this.#values.set(id, values);
    return id;
  }

  /** Adds a node of an op of one's own, or of the library's by its name, which is then the node's name too. */
  add(op: string | Op, inputs: Readonly<Record<string, TensorId | undefined>>, attributes: object = {}) {
    const found = opFor(op);
    return addNode(this.graph, found.name, found, inputs as Record<string, TensorId>, attributes);
  }

  /** The same as a layer or an optimizer calls it. */
  readonly addTyped: Add = (op, inputs, ...attributes) => addNode(this.graph, op?.name, op, inputs, ...attributes);

  /** Adds the losses of logits, their hits, and the gradients of the mean loss with respect to some tensors. */
  crossEntropy(x: TensorId, labels: TensorId, of: readonly TensorId[]) {
    const { state } = this.graph;
    const { loss } = this.add("softmaxCrossEntropy", { x, labels, state });
    const { y: hits } = this.add("accuracy", { x, labels, state });
    const { y: mean } = this.add("batchMean", { state, x: loss! }, { weight: 1 });
    return { loss: loss!, hits: hits!, gradients: this.gradients(mean!, of) };
  }

  /** Adds the gradients of the sum of a tensor's numbers with respect to some tensors. */
  gradients(value: TensorId, of: readonly TensorId[]): TensorId[] {
    const { shape } = tensorOf(this.graph, value);
    const seed = addNode(this.graph, "seed", fill, {}, { shape, value: 1 }).y;
    return gradients(this.graph, { of: value, seed }, of, add) as TensorId[];
  }

  /**
   * Runs the graph and reads the tensors. `tile` stands for every product's tile, `algorithm` for that of every node that
   * has it.
   */
  async read(
    results: readonly TensorId[],
    options: { adapter?: AdapterClass; tile?: Tile; algorithm?: string; limits?: MergeLimits } = {},
  ): Promise<Float32Array[]> {
    const runtime = await testRuntime();
    this.graph.results.push(...results);
    const { algorithm, adapter = "software", limits } = options;
    const able = this.graph.nodes.filter((node) =>
      opOf(this.graph, node).algorithms?.some((it) => it.name === algorithm),
    );
    const algorithms = algorithm ? Object.fromEntries(able.map(({ name }) => [name, { algorithm }])) : {};
    this.graph = rewrite(this.graph, { adapter, choices: algorithms }).graph;
    const choices = options.tile ? Object.fromEntries(this.graph.nodes.map(({ name }) => [name, options.tile!])) : {};
    const plan = lower(this.graph, { name: "test", adapter, choices, limits });
    const executable = await prepare(runtime, plan);
    this.#values.set(this.graph.state, [this.#step, 0, this.#rows, this.#rows, this.#rows]);
    const bound = new Map<TensorId, GPUBuffer>();
    const owned = await runtime.buffers.create(
      [...this.#values.keys()].map((id) => ({
        label: tensorOf(this.graph, id).name,
        bytes: byteLength(tensorOf(this.graph, id)),
      })),
    );
    [...this.#values].forEach(([id, values], i) => {
      const words = tensorOf(this.graph, id).dtype === "f32" ? new Float32Array(values) : new Uint32Array(values);
      runtime.device.queue.writeBuffer(owned[i]!.buffer, 0, words);
      bound.set(id, owned[i]!.buffer);
    });
    const run = executable.bind(bound);
    const encoder = runtime.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    run.encode(pass);
    pass.end();
    runtime.device.queue.submit([encoder.finish()]);
    const bytes = await readBuffers(
      runtime,
      results.map((id) => ({ buffer: bound.get(id) ?? run.bufferOf(id), bytes: byteLength(tensorOf(this.graph, id)) })),
    );
    executable.dispose();
    for (const { release } of owned) release();
    return bytes.map((buffer) => new Float32Array(buffer));
  }
}
