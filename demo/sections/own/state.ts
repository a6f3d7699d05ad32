// The reader's classes and images, and the network that learned them. All of it is kept in this browser.

import { batch, computed, effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import type { OwnProgress } from "../../engine/own.ts";
import { IMAGE_PIXELS } from "../../network.ts";
import { architecture } from "../../state/architecture.ts";
import { engine, engineReady } from "../../state/engine.ts";
import { latest } from "../../state/latest.ts";
import { notify, notifyError, offerUndo, withdraw } from "../../state/notices.ts";
import { createShelf } from "../../state/shelf.ts";
import { FIRST, type Kept, MOST_IMAGES, type OwnClass, soundPart, type Trained } from "./kept.ts";

export { FEWEST_CLASSES, LONGEST_NAME, MOST_CLASSES, MOST_IMAGES, type OwnClass } from "./kept.ts";

export const classes = signal<readonly OwnClass[]>(FIRST);

export type OwnState =
  | { readonly kind: "untrained" }
  | { readonly kind: "training"; readonly progress: OwnProgress | undefined }
  /** Of classes by these names, in this order. */
  | { readonly kind: "trained"; readonly names: readonly string[] };

const trained = signal<Trained | undefined>(undefined);
/** Whether the engine has the trained network: one that was kept has to be given to it first. */
const restored = signal(false);
const run = signal<{ readonly progress: OwnProgress | undefined } | undefined>(undefined);
/** Counts trainings: the answer of one that was forgotten is not taken. */
let runs = 0;

/** A training that is stopped or fails leaves what was trained before. */
export const own = computed((): OwnState => {
  if (run.value) return { kind: "training", ...run.value };
  if (trained.value && restored.value) return { kind: "trained", names: trained.value.names };
  return { kind: "untrained" };
});

/** What is shown to the network now: drawn, or before the camera. */
export const shown = signal<Float32Array | undefined>(undefined);
/** Whether there is anything: cards are not drawn anew with each image of the camera. */
export const showing = computed(() => shown.value !== undefined);
export const answer = signal<Float32Array | undefined>(undefined);

const shelf = createShelf();
const KEY = "featuremap own data";
/** What was damaged, as it was: a later version of this page may make more of it. */
const DAMAGED_KEY = `${KEY}, damaged`;

/** What is kept was read: it may be written over. */
let readable = false;

/** As many as a class has room for. */
export function addImages(to: number, images: readonly Float32Array[]): void {
  change(to, (one) => ({ ...one, images: [...one.images, ...images].slice(0, MOST_IMAGES) }));
}

export function removeImage(from: number, image: number): void {
  undoable(`An image of “${classes.value[from]!.name}” was removed.`);
  change(from, (one) => ({ ...one, images: one.images.toSpliced(image, 1) }));
}

export function rename(index: number, name: string): void {
  change(index, (one) => ({ ...one, name }));
}

export function addClass(): void {
  const taken = new Set(classes.value.map(({ name }) => name));
  let number = classes.value.length + 1;
  while (taken.has(`class ${number}`)) number++;
  classes.value = [...classes.value, { name: `class ${number}`, images: [] }];
}

export function removeClass(index: number): void {
  undoable(`The class “${classes.value[index]!.name}” was removed.`);
  classes.value = classes.value.toSpliced(index, 1);
}

/** Tells that classes are about to change, and brings them back at a press. */
function undoable(title: string): void {
  const before = { classes: classes.value, trained: trained.value };
  offerUndo("own-undo", title, () =>
    batch(() => {
      classes.value = before.classes;
      trained.value = before.trained;
    }),
  );
}

function change(index: number, by: (one: OwnClass) => OwnClass): void {
  classes.value = classes.value.map((one, i) => (i === index ? by(one) : one));
}

/** Why the network cannot be trained on these classes yet; `undefined` where it can. */
export function missing(all: readonly OwnClass[]): string | undefined {
  const empty = all.filter(({ images }) => images.length === 0).map(({ name }) => `“${name}”`);
  if (empty.length > 0) return `No image yet of ${empty.join(", ")}.`;
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice) return `Two classes are called “${twice.name}”. Rename one.`;
  return undefined;
}

export async function train(): Promise<void> {
  const all = classes.value;
  const images = all.flatMap((one) => one.images);
  const request = {
    layers: architecture.value.layers,
    classes: all.length,
    images: Float32Array.from({ length: images.length * IMAGE_PIXELS }, (_, i) => {
      return images[Math.floor(i / IMAGE_PIXELS)]![i % IMAGE_PIXELS]!;
    }),
    labels: Uint8Array.from(all.flatMap((one, label) => one.images.map(() => label))),
  };
  runs++;
  const mine = runs;
  run.value = { progress: undefined };
  try {
    const onProgress = (progress: OwnProgress) => {
      if (mine === runs && run.value) run.value = { progress };
    };
    const file = await engine.trainOwn(request, proxy(onProgress));
    if (file && mine === runs) {
      trained.value = { names: all.map(({ name }) => name), file };
      restored.value = true;
    }
    withdraw("own");
  } catch (error) {
    notifyError("own", "The network could not learn your images. They are all still there.", error);
  } finally {
    if (mine === runs) run.value = undefined;
  }
}

/** Forgets all of it, here and in the browser. */
export async function forget(): Promise<void> {
  undoable("Your classes and images were forgotten.");
  runs++;
  void engine.stopOwn();
  batch(() => {
    classes.value = FIRST;
    trained.value = undefined;
    run.value = undefined;
  });
  try {
    await Promise.all([shelf.del(KEY), shelf.del(DAMAGED_KEY)]);
    readable = true;
    withdraw(TOPIC);
  } catch (error) {
    notifyError(TOPIC, "Your own data is gone from this page, but not from the browser.", error);
  }
}

const read = latest((pixels: Float32Array) => engine.readOwn(pixels));

/** Brings back what was kept, then keeps each change; called once. */
export async function start(): Promise<void> {
  watch();
  await bringBack();
  const { file, names } = trained.value ?? {};
  if (!file || !names) return;
  await engineReady;
  try {
    await engine.restoreOwn(file, names.length);
    restored.value = true;
  } catch (error) {
    notifyError("own", "The network that learned your images could not be opened. Train it again.", error);
  }
}

/** What cannot be read stays as it is; of what is damaged, the sound part is taken and the whole set aside. */
async function bringBack(): Promise<void> {
  let kept: unknown;
  try {
    kept = await shelf.get(KEY);
  } catch (error) {
    return notifyError(
      TOPIC,
      "What this browser kept of your own data could not be read, so nothing new is kept over it.",
      error,
    );
  }
  const { damaged, ...sound } = soundPart(kept);
  if (kept !== undefined) {
    batch(() => {
      classes.value = sound.classes;
      trained.value = sound.trained;
    });
  }
  try {
    if (damaged.length > 0) await shelf.set(DAMAGED_KEY, kept);
  } catch (error) {
    return notifyError(TOPIC, `${DAMAGED} It could not be set aside, so nothing new is kept over it.`, error);
  }
  readable = true;
  if (damaged.length === 0) return;
  await keep(sound);
  notify({
    topic: TOPIC,
    kind: "problem",
    title: DAMAGED,
    text: `This could not be read: ${damaged.join(", ")}. The rest is here. Add what is missing anew, and train again.`,
  });
}

const TOPIC = "own-kept";
const DAMAGED = "What this browser kept of your own data is damaged.";

function watch(): void {
  let first = true;
  effect(() => {
    const now = { classes: classes.value, trained: trained.value };
    if (!first) void keep(now);
    first = false;
  });
  effect(() => {
    const image = shown.value;
    if (own.value.kind !== "trained" || !image) {
      answer.value = undefined;
      return;
    }
    read(image).then(
      (probabilities) => {
        if (shown.value) answer.value = probabilities;
      },
      (error: unknown) => notifyError("own", "The network could not read this.", error),
    );
  });
}

async function keep(now: Kept): Promise<void> {
  if (!readable) return;
  try {
    await shelf.set(KEY, now);
  } catch (error) {
    notifyError(TOPIC, "Your own data could not be kept in this browser; it lasts until the page is closed.", error);
  }
}
