import { FeaturemapError } from "../base/errors.ts";
import type { Constant } from "./expression.ts";
import { type Access, type Source, type Specialized, specialize } from "./specialize.ts";

/** Access of a kernel to each of its buffers. A question mark: only some of the kernel's specialisations have the binding. */
export type Bindings = Readonly<Record<string, Access | `${Access}?`>>;

/** Kernel: a WGSL file, whose entry point has the kernel's name, and the type of its bindings. */
export interface Kernel<B extends Bindings = Bindings> {
  readonly code: string;
  /** Type only. The shader says the same to the device. */
  readonly bindings?: B;
}

type Required<B> = { [K in keyof B as B[K] extends `${string}?` ? never : K]: unknown };
type Optional<B> = { [K in keyof B as B[K] extends `${string}?` ? K : never]?: unknown };

/** Value for every binding, or an object with it as `id`. A missing or unknown name does not type-check. */
export type Bound<B, Value> = { [K in keyof Required<B>]: Value | { readonly id: Value } } & {
  [K in keyof Optional<B>]?: Value | { readonly id: Value } | undefined;
};

/** Arguments of a kernel's call. */
export interface KernelCall<B, Value> {
  readonly bind: Bound<B, Value>;
  /** Values for constants and `override`s that the text declares. */
  readonly constants?: Readonly<Record<string, Constant>>;
  /** Library files that the kernel calls. */
  readonly libraries?: readonly Source[];
  readonly workgroups: readonly [number, number, number];
}

/** Call of a kernel, as plain data. `Value` stands for a buffer: a tensor's id, or a buffer's index. */
export interface Dispatch<Value> {
  readonly kernel: string;
  readonly shader: Specialized;
  readonly bind: Readonly<Record<string, Value>>;
  readonly workgroups: readonly [number, number, number];
}

/** Declares a kernel and its bindings, so that calls of it are checked. Bundlers drop kernels that are not used. */
/* @__NO_SIDE_EFFECTS__ */
export function defineKernel<B extends Bindings>(code: string): Kernel<B> {
  return { code };
}

/**
 * Specialises a kernel and binds its buffers. The call must fit its types; the `dispatch` that the package exports checks it.
 *
 * @throws FeaturemapError `value` if the given buffers are not those that the specialised text binds
 */
export function dispatch<B extends Bindings, Value extends number | string>(
  kernel: Kernel<B>,
  call: KernelCall<B, Value>,
): Dispatch<Value> {
  const shader = specialize([{ code: kernel.code }, ...(call.libraries ?? [])], call.constants ?? {});
  const { entryPoint, bindings } = shader;
  const given = call.bind as Record<string, Value | { readonly id: Value } | undefined>;
  const bind: Record<string, Value> = {};
  for (const { name, access } of bindings) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      throw new FeaturemapError("value", `Kernel "${entryPoint}" binds "${name}" (${access}), got no buffer for it.`);
    }
    bind[name] = typeof value === "object" ? value.id : value;
  }
  const spare = Object.keys(given).find((name) => given[name] !== undefined && !Object.hasOwn(bind, name));
  if (spare !== undefined) {
    throw new FeaturemapError("value", `Kernel "${entryPoint}" does not bind "${spare}", but got a buffer for it.`);
  }
  return { kernel: entryPoint, shader, bind, workgroups: call.workgroups };
}
