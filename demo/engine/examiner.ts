// What the network makes of test images: which digit it takes for which, and where it is surest and wrong.

import type { Dataset, Model, Runtime } from "../../src/index.ts";
import { DIGITS, IMAGE_PIXELS } from "../network.ts";
import { type Split, uploadSplit } from "./mnist.ts";
import type { Answer, Mistake, Verdict } from "./training.ts";

const MOST_MISTAKES = 12;
/** Answers to the first images, among which the page lets one choose. */
const ANSWERS = 64;

export interface Examiner {
  /** Shows the model the first images: a few, while it trains, or all that are there for it. */
  examine(model: Model, which: "few" | "all"): Promise<Verdict>;
  dispose(): void;
}

/** @param sizes Test images of each kind of exam. */
export async function createExaminer(
  runtime: Runtime,
  test: Split,
  sizes: { readonly few: number; readonly all: number },
  batchSize: number,
): Promise<Examiner> {
  const few = await uploadSplit(runtime, test, sizes.few);
  const all = await uploadSplit(runtime, test, sizes.all);
  const sets: Record<"few" | "all", Dataset> = { few, all };
  return {
    async examine(model, which) {
      const { data } = await model.predict(sets[which], { batchSize });
      return verdictOn(data, test, sets[which].size);
    },
    dispose() {
      few.dispose();
      all.dispose();
    },
  };
}

/** @param probabilities [images, 10] */
export function verdictOn(probabilities: Float32Array, { labels, images: pixels }: Split, images: number): Verdict {
  const counts = new Uint32Array(DIGITS * DIGITS);
  const answers: Answer[] = [];
  const wrong: Omit<Mistake, "pixels">[] = [];
  for (let index = 0; index < images; index++) {
    const answer = likeliest(probabilities, index * DIGITS);
    const truth = labels[index]!;
    counts[truth * DIGITS + answer.read]!++;
    if (index < ANSWERS) answers.push(answer);
    if (answer.read !== truth) wrong.push({ index, truth, ...answer });
  }
  const worst = wrong.sort((a, b) => b.probability - a.probability).slice(0, MOST_MISTAKES);
  const mistakes = worst.map((mistake) => ({
    ...mistake,
    pixels: pixels.slice(mistake.index * IMAGE_PIXELS, (mistake.index + 1) * IMAGE_PIXELS),
  }));
  return { images, counts, mistakes, answers };
}

function likeliest(probabilities: Float32Array, from: number): Answer {
  let read = 0;
  for (let digit = 1; digit < DIGITS; digit++) {
    if (probabilities[from + digit]! > probabilities[from + read]!) read = digit;
  }
  return { read, probability: probabilities[from + read]! };
}
