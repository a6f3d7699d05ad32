/** What the tests of graphs, plans and errors share: graphs built by hand, networks, and errors as values. */

import { FeaturemapError } from "../../src/base/errors.ts";
import { addTensor, type DType, emptyGraph, type Graph, type Role, type TensorId } from "../../src/graph/graph.ts";
import { addNode, type OpTable } from "../../src/graph/op.ts";
import { type RewriteOptions, rewrite } from "../../src/graph/rewrite.ts";
import type { Choices } from "../../src/graph/tile.ts";
import type { Layer } from "../../src/layers/layer.ts";
import { Network } from "../../src/network/network.ts";
import { type LowerOptions, lower } from "../../src/plan/lower.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { allOps } from "../support/ops.ts";

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
  readonly graph: Graph = emptyGraph();
  readonly ops: OpTable;
  /** The algorithms that the rewriting put in the place of nodes. */
  algorithms: Choices = {};

  constructor(ops: OpTable = allOps) {
    this.ops = ops;
  }

  input(name: string, shape: readonly number[], dtype: DType = "f32", role: Role = "state"): TensorId {
    return addTensor(this.graph, name, role, { shape, dtype });
  }

  add(op: string, inputs: readonly TensorId[], attributes: object = {}, name = op): readonly TensorId[] {
    return addNode(this.ops, this.graph, { op, name, inputs, attributes: attributes as Record<string, unknown> });
  }

  want(...results: readonly TensorId[]): this {
    this.graph.results.push(...results);
    return this;
  }

  rewrite(options: RewriteOptions = {}): this {
    this.algorithms = rewrite(this.ops, this.graph, options);
    return this;
  }

  /** The ops of the nodes, in order. */
  get order(): string[] {
    return this.graph.nodes.map(({ op }) => op);
  }

  lower(options: Partial<LowerOptions> = {}): Plan {
    return lower(this.ops, this.graph, { name: "test", adapter: "software", ...options });
  }
}

export function networkOf(layers: readonly Layer[]): Network {
  const network = new Network();
  for (const layer of layers) network.add(layer);
  return network;
}
