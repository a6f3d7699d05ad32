import { FeaturemapError } from "../base/errors.ts";
import type { Constant } from "./expression.ts";
import { type Access, type Source, type Specialized, specialize } from "./specialize.ts";

/** How a kernel uses each of its buffers. A question mark: only some of the kernel's specialisations have the binding. */
export type Bindings = Readonly<Record<string, Access | `${Access}?`>>;

/** A kernel's WGSL file, whose entry point bears the kernel's name, and the type of what it binds. */
export interface Kernel<B extends Bindings = Bindings> {
  readonly code: string;
  /** A type only: the shader says the same to the device. */
  readonly bindings?: B;
}

type Required<B> = { [K in keyof B as B[K] extends `${string}?` ? never : K]: unknown };
type Optional<B> = { [K in keyof B as B[K] extends `${string}?` ? K : never]?: unknown };

/** A value for every binding, or what has it as `id`; forgetting one, or naming one that the kernel has not, does not type-check. */
export type Bound<B, Value> = { [K in keyof Required<B>]: Value | { readonly id: Value } } & {
  [K in keyof Optional<B>]?: Value | { readonly id: Value } | undefined;
};

/** What a kernel is called with. */
export interface KernelCall<B, Value> {
  readonly bind: Bound<B, Value>;
  /** In place of the text's defaults and `override`s; what the text names and does not declare becomes a u32 or a bool. */
  readonly constants?: Readonly<Record<string, Constant>>;
  /** Library files that the kernel calls. */
  readonly libraries?: readonly Source[];
  readonly workgroups: readonly [number, number, number];
}

/** One call of a kernel, as plain data. `Value` is what stands for a buffer: a tensor's id, a buffer's index. */
export interface Dispatch<Value> {
  readonly kernel: string;
  readonly shader: Specialized;
  readonly bind: Readonly<Record<string, Value>>;
  readonly workgroups: readonly [number, number, number];
}

/** Declares a kernel and its bindings, so that calls of it are checked. Bundlers drop what is declared and not used. */
/* @__NO_SIDE_EFFECTS__ */
export function defineKernel<B extends Bindings>(code: string): Kernel<B> {
  return { code };
}

/**
 * Specialises a kernel and binds its buffers. The call is taken as the types have it: `dispatch` of the package checks it.
 *
 * @throws FeaturemapError `value` where the buffers given are not those that the specialised text binds.
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
