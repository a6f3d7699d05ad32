import type { Graph } from "../graph/graph.ts";
import type { OpenChoice } from "../graph/op.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { AdapterClass, Choices, MemoryMode } from "../graph/tile.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { maxBufferBytes, type PlanLimits } from "../plan/limits.ts";
import { lower } from "../plan/lower.ts";
import type { MergeLimits } from "../plan/merge-dispatches.ts";
import type { Plan } from "../plan/plan.ts";
import { minSaving } from "../plan/shipped-tiles.ts";
import type { Augmentation } from "./augmentation.ts";
import { ProgramBuilder, type ProgramSettings, type Stage } from "./builder.ts";
import type { Measures } from "./measures.ts";
import {
  advance,
  forward,
  gather,
  gradients,
  gradientTransforms,
  layerOutputs,
  losses,
  metrics,
  predictions,
  updates,
} from "./stages.ts";

/** Program: a plan, and the tensors that the caller binds buffers to. */
export interface Program {
  readonly plan: Plan;
  /** Rows of the largest batch that it takes. */
  readonly capacity: number;
  /** Tensors of variables, by path. */
  readonly variables: ReadonlyMap<string, TensorId>;
  /** Tensors of ports, by `portKey`. */
  readonly ports: ReadonlyMap<string, TensorId>;
  /** Whether it adds up metrics. */
  readonly measured: boolean;
  /** Gradients of the parameters, by path, if they were asked for. */
  readonly gradients: ReadonlyMap<string, TensorId>;
  /** Outputs of layers, by name, if they were asked for. */
  readonly layerOutputs: ReadonlyMap<string, TensorId>;
}

export interface ProgramOptions extends ProgramSettings {
  readonly adapter: AdapterClass;
  readonly choices: Choices;
  /** Limits of the device. Default: for merged dispatches those that every device has, and no bound on buffers. */
  readonly limits?: MergeLimits & Partial<PlanLimits>;
  /** Default `fast`. */
  readonly memory?: MemoryMode;
  /** Whether convolutions may use Winograd's algorithm. Default true. */
  readonly winograd?: boolean;
  /** Whether each node keeps dispatches of its own. Default false. */
  readonly unmerged?: boolean | undefined;
  /** Called for every choice that `choices` leaves open. */
  readonly onOpenChoice?: ((open: OpenChoice) => void) | undefined;
}

export interface TrainingOptions {
  readonly measures: Measures;
  readonly optimizer: Optimizer;
  /** What is done to batches before the first layer. Default: nothing. */
  readonly augment?: readonly Augmentation[] | undefined;
  /** Whether the gradients that parameters are stepped by stay readable. Default false. */
  readonly keepGradients?: boolean;
}

/** Builds the program of a training step. */
export function trainingProgram(options: ProgramOptions & TrainingOptions): Program {
  const { measures, optimizer, augment = [], keepGradients = false } = options;
  return programOf(
    "train",
    "training step",
    [
      gather({ shuffled: true, measures }),
      ...augment.map((each) => each.stage(measures)),
      forward({ training: true }),
      losses(measures),
      gradients(measures),
      gradientTransforms(optimizer),
      updates(optimizer),
      metrics(measures),
      advance,
      ...(keepGradients ? [exposeGradients] : []),
    ],
    options,
  );
}

const exposeGradients: Stage = ({ graph, gradients }) => void graph.results.push(...gradients.values());

/** Builds the program of an evaluation step: forward pass, losses and metrics. */
export function evaluationProgram(options: ProgramOptions & Pick<TrainingOptions, "measures">): Program {
  const { measures } = options;
  const shuffled = options.ordered === true;
  const stages = [gather({ shuffled, measures }), forward({ training: false }), losses(measures)];
  return programOf("evaluate", "evaluation step", [...stages, metrics(measures), advance], options);
}

/** Builds the program of a prediction step: forward pass; each batch's outputs go to their places among all samples. */
export function predictionProgram(options: ProgramOptions): Program {
  const shuffled = options.ordered === true;
  const stages = [gather({ shuffled }), forward({ training: false }), predictions, advance];
  return programOf("predict", "prediction step", stages, options);
}

/** Builds the program of a probe: forward pass for the rows in use. The named layers' outputs are there when the step is over. */
export function outputsProgram(options: ProgramOptions, layers: readonly string[]): Program {
  const stages = [gather({ shuffled: false }), forward({ training: false }), layerOutputs(layers)];
  return programOf("probe", "probe step", stages, options);
}

/** A program of any stages. Nodes that are of no layer are named by `name`, progress and errors call the plan by `planName`. */
export function programOf(name: string, planName: string, stages: readonly Stage[], options: ProgramOptions): Program {
  const builder = new ProgramBuilder(name, options);
  for (const stage of stages) stage(builder);
  const { variables, ports, gradients, layerOutputs, means } = builder;
  return {
    plan: planOf(planName, builder.graph, options),
    capacity: options.capacity,
    variables,
    ports,
    measured: means.values.length > 0,
    gradients,
    layerOutputs,
  };
}

function planOf(name: string, graph: Graph, options: ProgramOptions): Plan {
  const { adapter, choices, limits, memory = "fast", winograd = true, unmerged, onOpenChoice } = options;
  const rewritten = rewrite(graph, {
    adapter,
    choices,
    minSaving: winograd ? minSaving(memory) : Number.POSITIVE_INFINITY,
    maxBytes: maxBufferBytes(limits),
    // In compact memory, or with `winograd: false`, no algorithm may be chosen.
    onOpenChoice: winograd && memory === "fast" ? onOpenChoice : undefined,
  });
  return lower(rewritten.graph, {
    name,
    adapter,
    choices,
    algorithms: rewritten.algorithms,
    limits,
    memory,
    unmerged,
    onOpenChoice,
  });
}
