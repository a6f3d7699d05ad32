import channels1Source from "../../shaders/lib/channels_1.wgsl";
import channels4Source from "../../shaders/lib/channels_4.wgsl";
import linearSource from "../../shaders/lib/linear.wgsl";
import operandRowsSource from "../../shaders/lib/operand_rows.wgsl";
import operandScalarSource from "../../shaders/lib/operand_scalar.wgsl";
import operandSingleSource from "../../shaders/lib/operand_single.wgsl";
import operandVec4Source from "../../shaders/lib/operand_vec4.wgsl";
import outputScalarSource from "../../shaders/lib/output_scalar.wgsl";
import outputSingleSource from "../../shaders/lib/output_single.wgsl";
import outputVec4Source from "../../shaders/lib/output_vec4.wgsl";
import { ceilDiv } from "../base/shape.ts";
import type { TensorId } from "../graph/graph.ts";
import { MOST_GROUPS } from "../graph/tile.ts";
import { type Bindings, type Dispatch, dispatch, type Kernel, type KernelCall } from "../wgsl/kernel.ts";
import type { Source } from "../wgsl/specialize.ts";

/** A call of a kernel that makes one element an invocation, in workgroups of 64: `shaders/lib/linear.wgsl` tells it which. */
export function dispatchEach<B extends Bindings>(
  kernel: Kernel<B>,
  count: number,
  { libraries = [], ...call }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatchGroups(kernel, ceilDiv(count, 64), { ...call, libraries: [linearSource, ...libraries] });
}

/** A call of a kernel by so many workgroups, in rows of GROUPS_X. */
export function dispatchGroups<B extends Bindings>(
  kernel: Kernel<B>,
  groups: number,
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  const x = Math.min(groups, MOST_GROUPS);
  return dispatch(kernel, {
    bind,
    constants: { ...constants, GROUPS_X: x },
    libraries,
    workgroups: [x, ceilDiv(groups, x), 1],
  });
}

/** How many elements of a tensor's last axis an invocation works on: four side by side, or one, as some kernels do on GPUs. */
export type Channels = 1 | 4;

/** Names them for a shader that can do either. */
export function channelsSource(channels: Channels): Source {
  return channels === 1 ? channels1Source : channels4Source;
}

/** Reads a tensor in fours, by vector where its rows are a multiple of 4 long; or, as a shader for either wants it, one by one. */
export function operand(letter: string, rowLength: number, channels: Channels = 4): Source {
  if (channels === 1) return { ...operandSingleSource, rename: { operand: letter } };
  const elements = rowLength % 4 === 0 ? operandVec4Source : operandScalarSource;
  return { code: `${elements.code}\n${operandRowsSource.code}`, rename: { operand: letter } };
}

/** Writes a tensor in fours, by vector where its rows are a multiple of 4 long; or one by one. */
export function output(letter: string, rowLength: number, channels: Channels = 4): Source {
  if (channels === 1) return { ...outputSingleSource, rename: { output: letter } };
  return { ...(rowLength % 4 === 0 ? outputVec4Source : outputScalarSource), rename: { output: letter } };
}
