/** What the tests of graphs, plans and errors share: graphs built by hand, networks, and errors as values. */

import { FeaturemapError } from "../../src/base/errors.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { addNode, addTensor, emptyGraph, type Graph, tensorOf } from "../../src/graph/graph.ts";
import type { Add, Op } from "../../src/graph/op.ts";
import { type RewriteOptions, rewrite } from "../../src/graph/rewrite.ts";
import type { DType, Role, TensorId } from "../../src/graph/tensor.ts";
import type { Choices } from "../../src/graph/tile.ts";
import { batchMean } from "../../src/ops/batch/batch-mean.ts";
import { add } from "../../src/ops/elementwise/add.ts";
import { fill } from "../../src/ops/elementwise/fill.ts";
import { type LowerOptions, lower } from "../../src/plan/lower.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { opFor } from "./ops.ts";

/** The FeaturemapError that a call throws; any other outcome fails the test. */
export function failure(run: () => unknown): FeaturemapError {
  try {
    run();
  } catch (error) {
    if (error instanceof FeaturemapError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}

/** A graph built call by call. A node's name is its op's unless it is given one. */
export class Build {
  /** What was built; after `rewrite`, the graph that it made. */
  graph: Graph = emptyGraph();
  /** The algorithms that the rewriting put in the place of nodes. */
  algorithms: Choices = {};

  input(name: string, shape: readonly number[], dtype: DType = "f32", role: Role = "state"): TensorId {
    return addTensor(this.graph, name, role, { shape, dtype });
  }

  /** Adds a node of an op of one's own, or of the library's by its name. */
  add(
    op: string | Op,
    inputs: Readonly<Record<string, TensorId | undefined>>,
    attributes: object = {},
    name = opFor(op).name,
  ) {
    return addNode(this.graph, name, opFor(op), inputs as Record<string, TensorId>, attributes);
  }

  /** The same as a layer, a loss or an optimizer calls it. */
  readonly addTyped: Add = (op, inputs, ...attributes) =>
    addNode(this.graph, String(op?.name), op, inputs, ...attributes);

  /** Adds the gradients of a value with respect to some tensors; its own is `seed`: ones, unless it is given. */
  gradients(value: TensorId, of: readonly TensorId[], seed = this.#ones(value)): TensorId[] {
    return gradients(this.graph, { of: value, seed }, of, add) as TensorId[];
  }

  /** Adds the gradients of the mean of each row's loss over the rows in use, as a training step does. */
  meanGradients(losses: TensorId, of: readonly TensorId[]): TensorId[] {
    const { y: mean } = this.addTyped(batchMean, { state: this.graph.state, x: losses }, { weight: 1 });
    return this.gradients(mean, of);
  }

  #ones(of: TensorId): TensorId {
    return this.addTyped(fill, {}, { shape: tensorOf(this.graph, of).shape, value: 1 }).y;
  }

  want(...results: readonly TensorId[]): this {
    this.graph.results.push(...results);
    return this;
  }

  rewrite(options: RewriteOptions = {}): this {
    Object.assign(this, rewrite(this.graph, options));
    return this;
  }

  /** The ops of the nodes, in order. */
  get order(): string[] {
    return this.graph.nodes.map(({ op }) => op);
  }

  lower(options: Partial<LowerOptions> = {}): Plan {
    return lower(this.graph, { name: "test", adapter: "software", ...options });
  }
}

/** The network of layers in a row, the first of which knows its input's shape. */
export { networkOfLayers as networkOf } from "../../src/network/layer-stack.ts";
