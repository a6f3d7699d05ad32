import { FeaturemapError } from "../errors.ts";
import type { Constant } from "./expression.ts";
import { type Access, type Source, type Specialized, specialize } from "./specialize.ts";

/** How a kernel uses a buffer. A question mark: only some of the kernel's specialisations have the binding. */
export type Use = Access | `${Access}?`;

/** A kernel's WGSL file and the buffers it binds. */
export interface Kernel<B extends Readonly<Record<string, Use>> = Readonly<Record<string, Use>>> {
  /** Also the name of the entry point. */
  readonly name: string;
  readonly code: string;
  readonly bindings: B;
}

type Required<B> = { [K in keyof B as B[K] extends `${string}?` ? never : K]: unknown };
type Optional<B> = { [K in keyof B as B[K] extends `${string}?` ? K : never]?: unknown };

/** A value for every binding; forgetting one, or naming one that the kernel has not, does not type-check. */
export type Bound<B, Value> = { [K in keyof Required<B>]: Value } & { [K in keyof Optional<B>]?: Value | undefined };

/** One call of a kernel, as plain data. `Value` is what stands for a buffer: a tensor's id, a buffer's index. */
export interface Dispatch<Value> {
  readonly kernel: string;
  readonly shader: Specialized;
  readonly bind: Readonly<Record<string, Value>>;
  readonly workgroups: readonly [number, number, number];
}

/** Declares a kernel, so that calls of it are checked against its bindings. Bundlers drop what is declared and not used. */
/* @__NO_SIDE_EFFECTS__ */
export function defineKernel<const B extends Readonly<Record<string, Use>>>(kernel: Kernel<B>): Kernel<B> {
  return kernel;
}

/**
 * Specialises a kernel and binds its buffers.
 *
 * @throws FeaturemapError `value` where the buffers given are not those that the specialised text binds.
 */
export function dispatch<const B extends Readonly<Record<string, Use>>, Value extends number | string | object>(
  kernel: Kernel<B>,
  call: {
    bind: Bound<B, Value>;
    constants?: Readonly<Record<string, Constant>>;
    /** Library files that the kernel calls. */
    libraries?: readonly Source[];
    workgroups: readonly [number, number, number];
  },
): Dispatch<Value> {
  const shader = specialize([{ code: kernel.code }, ...(call.libraries ?? [])], call.constants ?? {});
  const given = call.bind as Record<string, Value | undefined>;
  const bind: Record<string, Value> = {};
  for (const { name, access } of shader.bindings) {
    const declared = kernel.bindings[name]?.replace("?", "");
    if (declared !== access || given[name] === undefined) {
      const got = given[name] === undefined ? "no buffer for it" : `it declared as "${declared}"`;
      throw new FeaturemapError("value", `Kernel "${kernel.name}" binds "${name}" (${access}), got ${got}.`);
    }
    bind[name] = given[name];
  }
  const spare = Object.keys(given).find((name) => given[name] !== undefined && !(name in bind));
  if (spare !== undefined) {
    throw new FeaturemapError("value", `Kernel "${kernel.name}" does not bind "${spare}", but got a buffer for it.`);
  }
  return { kernel: kernel.name, shader, bind, workgroups: call.workgroups };
}
