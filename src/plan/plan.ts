import type { TensorId } from "../graph/tensor.ts";
import { type Choice, type Choices, choiceOf, isTile } from "../graph/tile.ts";
import type { Specialized } from "../wgsl/specialize.ts";

/** Buffer of a plan: its own, or one that the caller brings for a tensor of role `data` or `state`. */
export interface PlanBuffer {
  readonly label: string;
  readonly bytes: number;
  /** Tensor that the caller binds; none if the plan owns the buffer. */
  readonly bound?: TensorId;
}

/** Dispatch of a plan. If it is merged of several, `node` and `kernel` name all of them, joined by " + ". */
export interface PlanStep {
  /** Name of the graph's node that it computes. */
  readonly node: string;
  readonly kernel: string;
  readonly shader: Specialized;
  /** Buffer of each binding of the shader, as an index into `buffers`. */
  readonly buffers: readonly number[];
  readonly workgroups: readonly [number, number, number];
}

/** Plan of a step of training, evaluation or prediction, as plain data: what runs, on which buffers, in which order. */
export class Plan {
  readonly name: string;
  readonly buffers: readonly PlanBuffer[];
  readonly steps: readonly PlanStep[];
  /** Index of the buffer that holds a tensor. Some tensors have none. */
  readonly bufferOf: ReadonlyMap<TensorId, number>;
  /** Choices of all nodes: give them back to repeat a run. */
  readonly choices: Choices;

  constructor(plan: Pick<Plan, "name" | "buffers" | "steps" | "bufferOf" | "choices">) {
    this.name = plan.name;
    this.buffers = plan.buffers;
    this.steps = plan.steps;
    this.bufferOf = plan.bufferOf;
    this.choices = plan.choices;
  }

  /** Bytes of the buffers that the plan owns. */
  get scratchBytes(): number {
    return this.buffers.reduce((sum, { bytes, bound }) => sum + (bound === undefined ? bytes : 0), 0);
  }

  /** Prints a table, one line a dispatch. */
  toString(): string {
    const names = this.buffers.map(({ label, bound }, i) => (bound === undefined ? `#${i}` : label));
    const rows = this.steps.map((step, i) => {
      const uses = step.shader.bindings.map(({ name, access }, binding) => {
        return `${name}${access === "write" ? "=>" : "="}${names[step.buffers[binding]!]}`;
      });
      return [
        String(i + 1),
        step.kernel,
        step.node,
        step.workgroups.join("x"),
        step.node
          .split(" + ")
          .flatMap((node) => tileText(choiceOf(this.choices, node)) || [])
          .join(" + "),
        uses.join(" "),
      ];
    });
    return [
      `${this.name}: ${this.steps.length} dispatches, ${this.scratchBytes} bytes of scratch`,
      ...table([["", "kernel", "node", "workgroups", "tile", "buffers"], ...rows]),
      "scratch buffers:",
      ...this.buffers.flatMap(({ label, bytes, bound }, i) =>
        bound === undefined ? `  #${i} ${bytes} B: ${label}` : [],
      ),
    ].join("\n");
  }
}

function tileText(tile: Choice | undefined): string {
  if (!isTile(tile)) return "";
  const slices = tile.slices > 1 ? ` /${tile.slices}` : "";
  const quad = tile.quad ? (tile.turns === 2 ? " pairs" : " quad") : "";
  return `${tile.blocksM * 4}x${tile.blocksN * 4}${quad}${tile.shared ? " shared" : ""}${slices}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
