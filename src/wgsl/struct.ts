import { FeaturemapError } from "../base/errors.ts";
import type { Source } from "./specialize.ts";
import { tokensOf } from "./tokens.ts";

/** Typed array of a field's word, by the field's type. */
const VIEWS = { u32: Uint32Array, i32: Int32Array, f32: Float32Array } as const;

/** Type of a field, and the number of its word of 4 bytes. */
export interface StructField {
  readonly type: keyof typeof VIEWS;
  readonly word: number;
}

/** Layout of a WGSL struct in a storage buffer. Each of its fields is a scalar of one word. */
export class Struct<Field extends string = string> {
  readonly fields: Readonly<Record<Field, StructField>>;
  readonly words: number;
  readonly #name: string;

  constructor(name: string, fields: ReadonlyMap<string, StructField>) {
    this.fields = Object.fromEntries(fields) as Record<Field, StructField>;
    this.words = fields.size;
    this.#name = name;
  }

  get bytes(): number {
    return this.words * 4;
  }

  /**
   * Makes the words of a buffer that holds these values.
   *
   * @throws FeaturemapError `value` for a field that the struct does not have, or one that is missing
   * @example layout.write({ step: 0, rows: 32 })
   */
  write(values: Readonly<Record<Field, number>>): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(this.words);
    const given = new Map(Object.entries<number>(values));
    for (const [name, { type, word }] of this.#entries()) {
      new VIEWS[type](words.buffer)[word] = given.get(name) ?? this.#wrong(`needs a value for "${name}"`);
      given.delete(name);
    }
    for (const name of given.keys()) this.#wrong(`has no field "${name}"`);
    return words;
  }

  /** Reads the values of the fields out of the bytes of a buffer. */
  read(bytes: ArrayBuffer): Record<Field, number> {
    const values = this.#entries().map(([name, { type, word }]) => [name, new VIEWS[type](bytes)[word]!]);
    return Object.fromEntries(values);
  }

  #entries(): [Field, StructField][] {
    return Object.entries<StructField>(this.fields) as [Field, StructField][];
  }

  #wrong(what: string): never {
    const has = Object.keys(this.fields).join(", ");
    throw new FeaturemapError("value", `Struct ${this.#name} ${what}. Its fields: ${has}.`);
  }
}

/** Layouts that were read before, by struct. */
const KNOWN = /* @__PURE__ */ new WeakMap<Source, Map<string, Struct>>();

/**
 * Reads the layout of a struct from WGSL text, so that it is defined there only. It is read once for each source and name.
 *
 * @throws FeaturemapError `value` where the text does not declare the struct, or a field is not a plain u32, i32 or f32
 * @example structOf<"step" | "rows">({ code: "struct State { step: u32, rows: u32 }" }, "State").fields.rows.word // 1
 */
export function structOf<Field extends string>(source: Source, name: string): Struct<Field> {
  const known = KNOWN.get(source) ?? new Map<string, Struct>();
  KNOWN.set(source, known);
  const layout = known.get(name) ?? new Struct(name, fieldsOf(source.code, name));
  known.set(name, layout);
  return layout as Struct<Field>;
}

function fieldsOf(code: string, name: string): Map<string, StructField> {
  const texts = tokensOf(code).map(({ text }) => text);
  const at = texts.findIndex((text, i) => text === "struct" && texts[i + 1] === name);
  if (at < 0) throw new FeaturemapError("value", `The shader declares no struct ${name}.`);
  const fields = new Map<string, StructField>();
  for (let i = at + 3; texts[i] !== "}"; i += texts[i + 3] === "," ? 4 : 3) {
    const [field = "", colon, type = "", end = ""] = texts.slice(i, i + 4);
    if (colon !== ":" || !Object.hasOwn(VIEWS, type) || !",}".includes(end)) {
      const got = texts.slice(i, texts.indexOf("}", i)).join("").slice(0, 60);
      throw new FeaturemapError("value", `Struct ${name} has "${got}": its fields must be of type u32, i32 or f32.`);
    }
    fields.set(field, { type: type as StructField["type"], word: fields.size });
  }
  return fields;
}
