import type { TensorId } from "../graph/graph.ts";
import { MOST_GROUPS } from "../graph/tile.ts";
import type { Dispatch } from "../wgsl/kernel.ts";
import { mergedBindings, mergeParts, type Part, partOf, product } from "../wgsl/merge-kernels.ts";

/** What a merged dispatch must keep to; a `GPUSupportedLimits` has both. */
export type MergeLimits = Pick<
  GPUSupportedLimits,
  "maxStorageBuffersPerShaderStage" | "maxComputeWorkgroupStorageSize"
>;

/** What every WebGPU device has. */
export const LEAST_LIMITS: MergeLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
};

export interface NodeDispatch extends Dispatch<TensorId> {
  /** Name of the graph's node that it computes; of several nodes, joined by " + ", as their kernels are. */
  readonly node: string;
}

/**
 * Merges dispatches that do not depend on each other. Each goes, in order, into the first that can take it and that comes
 * after everything it conflicts with: what writes a buffer that the other reads or writes, in-place updates among them.
 * `storage` names the tensor whose buffer a tensor lives in.
 */
export function mergeIndependent(
  dispatches: readonly NodeDispatch[],
  storage: (id: TensorId) => TensorId,
  limits: MergeLimits,
): NodeDispatch[] {
  const groups: Member[][] = [];
  /** By tensor, the number of the last group that uses it, and of the last that writes it, from 1 on. */
  const used = new Map<TensorId, number>();
  const written = new Map<TensorId, number>();
  for (const dispatch of dispatches) {
    const member = memberOf(dispatch, storage);
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
  readonly part: Part<TensorId> | undefined;
  readonly uses: readonly TensorId[];
  readonly writes: readonly TensorId[];
}

function memberOf(dispatch: NodeDispatch, storage: (id: TensorId) => TensorId): Member {
  const bind = Object.fromEntries(Object.entries(dispatch.bind).map(([name, id]) => [name, storage(id)]));
  const written = dispatch.shader.bindings.filter(({ access }) => access === "write");
  return {
    dispatch,
    part: partOf({ ...dispatch, bind }),
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
  return { ...mergeParts(parts, MOST_GROUPS), node: members.map(({ dispatch }) => dispatch.node).join(" + ") };
}
