import { anObject, listOf, wrong } from "../base/errors.ts";
import { type Bindings, type Dispatch, dispatch as dispatchChecked, type Kernel, type KernelCall } from "./kernel.ts";
import type { Source } from "./specialize.ts";

/** Pattern of a name in a shader. */
const NAME = /^\w+$/;

/**
 * Specialises a kernel of an app's own and binds its buffers, for an op's `lower`.
 *
 * @throws FeaturemapError `value` if the call lacks a part of a `KernelCall`, `specialize` refuses the text, or the given buffers are not
 *   those that the text binds
 */
export function dispatch<B extends Bindings, Value extends number | string>(
  kernel: Kernel<B>,
  call: KernelCall<B, Value>,
): Dispatch<Value> {
  const { bind, constants = {}, libraries = [], workgroups } = anObject(call, "dispatch: call");
  checkText(anObject(kernel, "dispatch: kernel").code, "dispatch: kernel.code");
  for (const [name, value] of Object.entries(anObject(bind, "dispatch: bind")))
    if (value === null) throw wrong(`dispatch: bind.${name}`, "be a buffer's tensor", value);
  Array.from(listOf(libraries, "dispatch: libraries"), checkLibrary);
  checkConstants(constants, "dispatch: constants");
  const counts = Array.isArray(workgroups) && [0, 1, 2].every((axis) => Number.isInteger(workgroups[axis]));
  if (!counts) throw wrong("dispatch: workgroups", "be three whole numbers", workgroups);
  return dispatchChecked(kernel, { bind, constants, libraries, workgroups });
}

function checkLibrary(source: Source, i: number): void {
  const where = `dispatch: libraries[${i}]`;
  const { code, rename = {}, given = {} } = anObject(source, where);
  checkText(code, `${where}.code`);
  for (const [from, to] of Object.entries(anObject(rename, `${where}.rename`)))
    if (!NAME.test(from) || typeof to !== "string" || !NAME.test(to))
      throw wrong(`${where}.rename: "${from}"`, "be of names", to);
  checkConstants(given, `${where}.given`);
}

function checkText(code: unknown, where: string): void {
  if (typeof code !== "string") throw wrong(where, "be WGSL text", code);
}

function checkConstants(constants: object, where: string): void {
  for (const name of Object.keys(anObject(constants, where)))
    if (!NAME.test(name)) throw wrong(where, "have names of the shader's", name);
}
