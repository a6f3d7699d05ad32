import { asObject, type CheckContext, plain, record, text } from "../base/check.ts";
import { FeaturemapError, show, tagOf } from "../base/errors.ts";
import { INITIALIZERS } from "../layers/initializers.ts";
import {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  type SavableInitializer,
  truncatedNormal,
  varianceScaling,
  zeros,
} from "../layers/random-initializers.ts";

/** Initializers of the library, by their names. */
// biome-ignore lint/suspicious/noExplicitAny: each has its own options, and checks them
const FACTORIES: Readonly<Record<string, (config?: any) => SavableInitializer>> = {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
};

/** Puts `{ className, config }` in the place of each initializer of the library among a layer's options. */
export function initializersSaved(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isSavable(value) ? saved(value) : value]),
  );
}

function isSavable(value: unknown): value is SavableInitializer {
  return typeof value === "function" && "className" in value && "config" in value;
}

function saved({ className, config }: SavableInitializer) {
  return { className, config };
}

/**
 * Makes the initializers among a layer's options again. A config may name any of them by a word, as Keras does, too: `"heNormal"`.
 *
 * @throws FeaturemapError `value` for a class that is not the library's, and for options that are wrong
 */
export function initializersMade(
  options: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, unknown>> {
  const made = Object.entries(options).map(([name, value]) => {
    if (!/[iI]nitializer$/.test(name)) return [name, value];
    return [name, initializerMade(value, { path: `${where}.${name}`, code: "value" })];
  });
  return Object.fromEntries(made) as Record<string, unknown>;
}

function initializerMade(value: unknown, context: CheckContext): unknown {
  // Words of the core stay words: layers know them, and say so of others.
  if (typeof value === "string") return !isCore(value) && Object.hasOwn(FACTORIES, value) ? FACTORIES[value]!() : value;
  if (tagOf(value) !== "Object") return value;
  const { className, config } = record<{ className: string; config: object }>(
    { className: text, config: (each, at) => plain(asObject(each, at), at) as object },
    { only: true },
  )(value, context);
  const name = className.charAt(0).toLowerCase() + className.slice(1);
  if (Object.hasOwn(FACTORIES, name)) return FACTORIES[name]!(config);
  const known = Object.keys(FACTORIES).join(", ");
  throw new FeaturemapError(
    "value",
    `${context.path} is no known initializer: ${show(className)}. It can be: ${known}.`,
  );
}

function isCore(name: string): boolean {
  return (INITIALIZERS as readonly string[]).includes(name);
}
