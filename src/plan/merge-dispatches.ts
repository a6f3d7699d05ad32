import type { TensorId } from "../graph/tensor.ts";
import { MAX_GROUPS } from "../graph/tile.ts";
import type { Dispatch } from "../wgsl/kernel.ts";
import { type MergePart, mergedBindings, mergePartOf, mergeParts, product } from "../wgsl/merge-kernels.ts";

/** Limits of a merged dispatch. A `GPUSupportedLimits` has both. */
export type MergeLimits = Pick<
  GPUSupportedLimits,
  "maxStorageBuffersPerShaderStage" | "maxComputeWorkgroupStorageSize"
>;

/** Limits that every WebGPU device has. */
export const DEFAULT_LIMITS: MergeLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
};

export interface NodeDispatch extends Dispatch<TensorId> {
  /** Name of the graph's node that it computes. Several names are joined by " + ", as those of kernels are. */
  readonly node: string;
  /** Whether the op says that its dispatch is short (`Op.sharesDispatch`). */
  readonly isShort: boolean;
}

/**
 * Merges dispatches that do not depend on each other. Two conflict if one writes a buffer that the other reads or writes, in place too.
 * Each dispatch, in order, joins the first group that can take it after all groups it conflicts with. `storage` gives the tensor in
 * whose buffer a tensor lies. A dispatch that may not be merged stays on its own.
 */
export function mergeIndependent(
  dispatches: readonly NodeDispatch[],
  storage: (id: TensorId) => TensorId,
  limits: MergeLimits,
  mayMerge: (dispatch: NodeDispatch) => boolean = () => true,
): NodeDispatch[] {
  const groups: Member[][] = [];
  /** Number, from 1 on, of the last group that uses a tensor, and of the last that writes it. */
  const used = new Map<TensorId, number>();
  const written = new Map<TensorId, number>();
  for (const dispatch of dispatches) {
    const member = memberOf(dispatch, storage, mayMerge(dispatch));
    const conflicts = [...member.uses.map((id) => written.get(id)), ...member.writes.map((id) => used.get(id))];
    let at = conflicts.reduce<number>((last, group = 0) => Math.max(last, group), 0);
    if (!member.part) at = groups.length;
    while (at < groups.length && !canRunTogether([...groups[at]!, member], limits)) at++;
    if (at < groups.length) groups[at]!.push(member);
    else groups.push([member]);
    for (const id of member.uses) used.set(id, Math.max(used.get(id) ?? 0, at + 1));
    for (const id of member.writes) written.set(id, Math.max(written.get(id) ?? 0, at + 1));
  }
  return groups.map(merged);
}

interface Member {
  readonly dispatch: NodeDispatch;
  readonly part: MergePart<TensorId> | undefined;
  readonly uses: readonly TensorId[];
  readonly writes: readonly TensorId[];
}

function memberOf(dispatch: NodeDispatch, storage: (id: TensorId) => TensorId, mayMerge: boolean): Member {
  const bind = Object.fromEntries(Object.entries(dispatch.bind).map(([name, id]) => [name, storage(id)]));
  const written = dispatch.shader.bindings.filter(({ access }) => access === "write");
  return {
    dispatch,
    part: mayMerge ? mergePartOf({ ...dispatch, bind }) : undefined,
    uses: Object.values(bind),
    writes: written.map(({ name }) => bind[name]!),
  };
}

function canRunTogether(members: readonly Member[], limits: MergeLimits): boolean {
  const parts = members.flatMap(({ part }) => part ?? []);
  const sizes = parts.map(({ dispatch }) => product(dispatch.shader.workgroupSize));
  const bytes = parts.reduce((sum, { workgroupBytes }) => sum + workgroupBytes, 0);
  return (
    parts.length === members.length &&
    mergedBindings(parts).length <= limits.maxStorageBuffersPerShaderStage &&
    bytes <= limits.maxComputeWorkgroupStorageSize &&
    parts.every(({ needsWholeWorkgroups }, i) => !needsWholeWorkgroups || sizes[i] === Math.max(...sizes))
  );
}

function merged(members: readonly Member[]): NodeDispatch {
  if (members.length === 1) return members[0]!.dispatch;
  const parts = members.flatMap(({ part }) => part ?? []);
  const nodes = members.map(({ dispatch }) => dispatch);
  return {
    ...mergeParts(parts, MAX_GROUPS),
    node: nodes.map(({ node }) => node).join(" + "),
    isShort: nodes.every(({ isShort }) => isShort),
  };
}
