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
import type { TensorId } from "../graph/tensor.ts";
import { MAX_GROUPS } from "../graph/tile.ts";
import { type Bindings, type Dispatch, dispatch, type Kernel, type KernelCall } from "../wgsl/kernel.ts";
import type { Source } from "../wgsl/specialize.ts";

/** Calls a kernel with one invocation an element, in workgroups of 64. `shaders/lib/linear.wgsl` finds the element. */
export function dispatchEach<B extends Bindings>(
  kernel: Kernel<B>,
  count: number,
  { libraries = [], ...call }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatchGroups(kernel, ceilDiv(count, 64), { ...call, libraries: [linearSource, ...libraries] });
}

/** Calls a kernel with so many workgroups, in rows of GROUPS_X. */
export function dispatchGroups<B extends Bindings>(
  kernel: Kernel<B>,
  groups: number,
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  const x = Math.min(groups, MAX_GROUPS);
  return dispatch(kernel, {
    bind,
    constants: { ...constants, GROUPS_X: x },
    libraries,
    workgroups: [x, ceilDiv(groups, x), 1],
  });
}

/** Number of elements of a tensor's last axis that an invocation works on: four side by side or, in some kernels on GPUs, one. */
export type Channels = 1 | 4;

/** Gives the library that tells the number to a shader which can do either. */
export function channelsSource(channels: Channels): Source {
  return channels === 1 ? channels1Source : channels4Source;
}

/** Gives the library by which a kernel reads a tensor: in fours, as vectors if its rows are a multiple of 4 long, or one by one. */
export function operand(letter: string, rowLength: number, channels: Channels = 4): Source {
  if (channels === 1) return { ...operandSingleSource, rename: { operand: letter } };
  const elements = rowLength % 4 === 0 ? operandVec4Source : operandScalarSource;
  return { code: `${elements.code}\n${operandRowsSource.code}`, rename: { operand: letter } };
}

/** Gives the library by which a kernel writes a tensor: in fours, as vectors if its rows are a multiple of 4 long, or one by one. */
export function output(letter: string, rowLength: number, channels: Channels = 4): Source {
  if (channels === 1) return { ...outputSingleSource, rename: { output: letter } };
  return { ...(rowLength % 4 === 0 ? outputVec4Source : outputScalarSource), rename: { output: letter } };
}
