// What a browser kept of a reader's own data, looked through before the page believes it.

import { IMAGE_PIXELS } from "../../network.ts";

export interface OwnClass {
  readonly name: string;
  /** 28 x 28 numbers in [0, 1] each. */
  readonly images: readonly Float32Array[];
}

/** A network that learned classes by these names, in this order. */
export interface Trained {
  readonly names: readonly string[];
  readonly file: Uint8Array;
}

export interface Kept {
  readonly classes: readonly OwnClass[];
  readonly trained?: Trained | undefined;
}

export const FEWEST_CLASSES = 2;
export const MOST_CLASSES = 10;
/** Of a class: what suits a notebook's memory and a reader's patience. */
export const MOST_IMAGES = 200;
export const LONGEST_NAME = 24;

export const FIRST: readonly OwnClass[] = [
  { name: "circle", images: [] },
  { name: "cross", images: [] },
];

/** What is sound of something that was kept, and what is not, in words. Nothing kept is sound. */
export function soundPart(kept: unknown): Kept & { readonly damaged: readonly string[] } {
  if (kept === undefined) return { classes: FIRST, damaged: [] };
  const { classes, trained } = Object(kept) as Record<string, unknown>;
  if (!Array.isArray(classes)) return { classes: FIRST, damaged: ["all of it"] };
  const damaged: string[] = [];
  const taken = Array.from(classes.slice(0, MOST_CLASSES)).map((one, i) => classOf(one, i, damaged));
  if (classes.length > MOST_CLASSES) damaged.push(`${classes.length - MOST_CLASSES} classes too many`);
  if (taken.length < FEWEST_CLASSES) {
    damaged.push(`all but ${taken.length} of the classes`);
    taken.push(...FIRST.slice(taken.length));
  }
  const network = trainedOf(trained);
  if (trained !== undefined && !network) damaged.push("the network that learned your images");
  return { classes: taken, trained: network, damaged };
}

function classOf(value: unknown, index: number, damaged: string[]): OwnClass {
  const { name, images } = Object(value) as Record<string, unknown>;
  const named = isName(name) ? name : `class ${index + 1}`;
  if (!isName(name)) damaged.push(`the name of class ${index + 1}`);
  if (!Array.isArray(images)) {
    damaged.push(`the images of “${named}”`);
    return { name: named, images: [] };
  }
  const sound = Array.from(images).filter(isImage).slice(0, MOST_IMAGES);
  if (sound.length < images.length) damaged.push(`${images.length - sound.length} images of “${named}”`);
  return { name: named, images: sound };
}

function trainedOf(value: unknown): Trained | undefined {
  const { names, file } = Object(value) as Record<string, unknown>;
  const fits = Array.isArray(names) && names.length >= FEWEST_CLASSES && names.length <= MOST_CLASSES;
  if (!fits || !Array.from(names).every(isName) || !isArray(file, "Uint8Array")) return undefined;
  return { names, file: file as Uint8Array };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= LONGEST_NAME;
}

function isImage(value: unknown): value is Float32Array {
  return isArray(value, "Float32Array") && (value as Float32Array).length === IMAGE_PIXELS && inUnitRange(value);
}

/** NaN is not. */
function inUnitRange(values: unknown): boolean {
  return (values as Float32Array).every((value) => value >= 0 && value <= 1);
}

/** Whatever realm it is of. */
function isArray(value: unknown, type: "Float32Array" | "Uint8Array"): boolean {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === `[object ${type}]`;
}
