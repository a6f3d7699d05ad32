import linear from "../../shaders/lib/linear.wgsl?raw";
import operandScalar from "../../shaders/lib/operand_scalar.wgsl?raw";
import operandVec4 from "../../shaders/lib/operand_vec4.wgsl?raw";
import outputScalar from "../../shaders/lib/output_scalar.wgsl?raw";
import outputVec4 from "../../shaders/lib/output_vec4.wgsl?raw";
import type { Source } from "../gpu/specialize.ts";
import { MOST_GROUPS } from "../graph/tile.ts";
import { ceilDiv } from "../shape.ts";

/** A dispatch of one invocation an element, in workgroups of 64, and the constant that goes with it. */
export function perElement(count: number): {
  workgroups: [number, number, number];
  constants: { GROUPS_X: number };
  library: Source;
} {
  const groups = ceilDiv(count, 64);
  const x = Math.min(groups, MOST_GROUPS);
  return { workgroups: [x, ceilDiv(groups, x), 1], constants: { GROUPS_X: x }, library: { code: linear } };
}

/** Reads a tensor in fours; by vector where its rows are a multiple of 4 long. */
export function operand(letter: string, rowLength: number): Source {
  return { code: rowLength % 4 === 0 ? operandVec4 : operandScalar, rename: { operand: letter } };
}

/** Writes a tensor in fours; by vector where its rows are a multiple of 4 long. */
export function output(letter: string, rowLength: number): Source {
  return { code: rowLength % 4 === 0 ? outputVec4 : outputScalar, rename: { output: letter } };
}
