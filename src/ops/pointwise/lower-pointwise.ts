import functionsSource from "../../../shaders/pointwise/lib/functions.wgsl";
import runsSource from "../../../shaders/pointwise/lib/runs.wgsl";
import pointwiseSource from "../../../shaders/pointwise/pointwise.wgsl";
import reduceSource from "../../../shaders/pointwise/reduce.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import type { LowerContext } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { dispatchEach, dispatchGroups, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import { broadcastOperand, countOf, type Run, runConstants, runsOf } from "./broadcast.ts";
import { type ByLetter, expressionSource, LETTERS, type LetterInput } from "./expression.ts";
import type { Expression } from "./functions.ts";
import { type PointwiseAttributes, type Reduction, wholeShape } from "./whole.ts";

const pointwiseKernel: Kernel<{
  a: "read";
  b: "read?";
  c: "read?";
  d: "read?";
  e: "read?";
  f: "read?";
  g: "read?";
  y: "write";
}> = pointwiseSource;
const reduceKernel: Kernel<{
  a: "read";
  b: "read?";
  c: "read?";
  d: "read?";
  e: "read?";
  f: "read?";
  g: "read?";
  y: "write";
}> = reduceSource;

/** Expression over the elements of a whole, and the tensors that it reads. */
interface Evaluation {
  readonly expression: Expression;
  readonly operands: ByLetter<{ readonly id: TensorId; readonly shape: Shape }>;
  readonly whole: Shape;
  readonly activation: Activation | undefined;
  readonly y: TensorId;
}

/** Gives the kernel calls of a node of `pointwise`. */
export function lowerPointwise({
  node,
  inputs,
  outputs,
  attributes: { expression, reduction, shape, activation },
  adapter,
  scratch,
}: LowerContext<LetterInput, "y", PointwiseAttributes>): Dispatch<TensorId>[] {
  const shapes = LETTERS.flatMap((letter) => (inputs[letter] ? [inputs[letter].shape] : []));
  const whole = wholeShape(shapes, shape, node.name);
  const evaluation = { expression, operands: inputs, whole, activation, y: outputs.y.id };
  if (!reduction || elements(whole) === elements(outputs.y.shape)) return [dispatchPointwise(evaluation)];
  return dispatchReduce(evaluation, reduction, adapter, (shape) => scratch("partial", { shape, dtype: "f32" }));
}

function dispatchPointwise(evaluation: Evaluation): Dispatch<TensorId> {
  const { operands, whole, activation, y } = evaluation;
  const SIZE = elements(whole);
  return dispatchEach(pointwiseKernel, ceilDiv(SIZE, 4), {
    bind: { ...operands, y },
    constants: { SIZE, ACTIVATION: activationNumber(activation) },
    libraries: [...expressionLibraries(evaluation, SIZE), output("y", SIZE)],
  });
}

/** Gives the libraries by which a kernel computes an expression, going along `row` elements in fours. */
function expressionLibraries({ expression, operands, whole }: Evaluation, row: number): Source[] {
  const given = LETTERS.filter((letter) => operands[letter]);
  return [
    { code: expressionSource(expression) },
    ...given.map((letter) => broadcastOperand(letter, operands[letter]!.shape, whole, row)),
    functionsSource,
    ...activationSources,
  ];
}

/** Calls the kernel `reduce`, and once more for what its slices made, where there are several. */
function dispatchReduce(
  evaluation: Evaluation,
  { kind, axes }: Reduction,
  adapter: AdapterClass,
  partial: (shape: Shape) => TensorId,
): Dispatch<TensorId>[] {
  const { whole, activation, y } = evaluation;
  const isReduced = (axis: number) => axes.includes(axis);
  const [kept, reduced] = [runsOf(whole, (axis) => !isReduced(axis)), runsOf(whole, isReduced)];
  const innerReduced = reduced.at(-1)?.stride === 1;
  const [KEPT, terms] = [countOf(kept), countOf(reduced)];
  // The innermost run of its kind is cut into fours.
  const BLOCKS = innerReduced ? KEPT : inFours(kept);
  const POSITIONS = innerReduced ? inFours(reduced) : terms;
  const { across: ACROSS, slices: SLICES } = sharedOut(BLOCKS, POSITIONS, innerReduced, adapter);
  const row = (innerReduced ? reduced : kept).at(-1)?.size ?? 1;
  const scale = kind === "mean" ? 1 / terms : 1;
  const [target, last] = SLICES === 1 ? [y, true] : [partial([SLICES, KEPT]), false];
  const call = dispatchGroups(reduceKernel, ceilDiv(BLOCKS, ACROSS) * SLICES, {
    bind: { ...evaluation.operands, y: target },
    constants: {
      KIND: kind === "max" ? 1 : kind === "min" ? 2 : 0,
      INNER_REDUCED: innerReduced,
      ACROSS,
      SLICES,
      BLOCKS,
      POSITIONS,
      KEPT,
      SCALE: last ? scale : 1,
      ACTIVATION: last ? activationNumber(activation) : 0,
      ...runConstants("KEPT", kept),
      ...runConstants("REDUCED", reduced),
    },
    libraries: [runsSource, ...expressionLibraries(evaluation, row), output("y", innerReduced ? 1 : row)],
  });
  if (last) return [call];
  const slices = { a: { id: target, shape: [SLICES, KEPT] } };
  const rest: Evaluation = {
    expression: ["multiply", "a", scale],
    operands: slices,
    whole: [SLICES, KEPT],
    activation,
    y,
  };
  const total: Reduction = { kind: kind === "mean" ? "sum" : kind, axes: [0], keepDims: false };
  return [call, ...dispatchReduce(rest, total, adapter, partial)];
}

function inFours(runs: readonly Run[]): number {
  const inner = runs.at(-1)?.size ?? 1;
  return (countOf(runs) / inner) * ceilDiv(inner, 4);
}

/**
 * Shares the positions of each block out among lanes and slices. A barrier costs a software adapter much, so that there all lanes are
 * blocks side by side, unless few blocks have many positions.
 */
function sharedOut(blocks: number, positions: number, innerReduced: boolean, adapter: AdapterClass) {
  if (adapter === "software") {
    if (positions < 256 || blocks > 64) return { across: 64, slices: 1 };
    return { across: 1, slices: positions < 4096 ? 1 : ceilDiv(8, blocks) };
  }
  // Lanes side by side read what lies side by side: positions of one block, or a few blocks.
  const lanes = Math.min(64, 2 ** Math.ceil(Math.log2(positions)));
  const across = innerReduced ? 64 / lanes : Math.max(64 / lanes, Math.min(8, 2 ** Math.ceil(Math.log2(blocks))));
  const turns = (positions * across) / 64;
  const groups = ceilDiv(blocks, across);
  // A GPU has work for some hundred workgroups. What slices make is added up in few turns, too.
  const slices = turns <= 32 ? 1 : Math.min(Math.ceil(turns / 8), 64, Math.max(1, ceilDiv(512, groups)));
  return { across, slices };
}
