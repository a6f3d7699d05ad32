// A network that a browser kept, looked through before the page believes it.

import { wordsOf } from "../../error-words.ts";
import type { NetworkSpec } from "../../network.ts";
import { checkNetwork } from "../../network-check.ts";
import type { Found, Key } from "../../state/shelf.ts";

export interface KeptNetwork {
  readonly name: string;
  /** In ms since 1970. */
  readonly saved: number;
  readonly spec: NetworkSpec;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** An entry as it was found, and the network that it is, or why it is none. */
export type Entry = { readonly key: Key; readonly name: string; readonly value: unknown } & (
  | { readonly network: KeptNetwork }
  | { readonly damage: string }
);

/** The greatest time that a `Date` has, in ms. */
const LAST_MS = 8.64e15;

/** What was found under a key, told in words where it is damaged. */
export function entryOf(found: Found): Entry {
  const { key } = found;
  const name = typeof key === "string" && key.trim() !== "" ? key : "A network without a name";
  if ("error" in found) return { key, name, value: undefined, damage: found.error.message };
  const { value } = found;
  try {
    return { key, name, value, network: networkOf(key, value) };
  } catch (error) {
    return { key, name, value, damage: wordsOf(error) };
  }
}

function networkOf(key: Key, value: unknown): KeptNetwork {
  const { name, saved, spec, file } = Object(value) as Record<string, unknown>;
  if (typeof name !== "string" || name !== key) throw new Error("Its name is missing.");
  if (typeof saved !== "number" || !(Math.abs(saved) <= LAST_MS)) throw new Error("Its date is none.");
  const bytes = Object.prototype.toString.call(file) === "[object Uint8Array]" && (file as Uint8Array<ArrayBuffer>);
  if (!bytes || bytes.byteLength === 0) throw new Error("Its weights are missing.");
  return { name, saved, spec: checkNetwork(spec), file: bytes };
}
