import type { Asked } from "../graph/op.ts";
import type { Choice, Choices, Tile } from "../graph/tile.ts";
import { candidateTiles } from "../plan/shipped-tiles.ts";
import type { PlanRequest, TuningTask } from "../plan/tuning-task.ts";

/** Something to choose by measurement; what is equal in a plan is one question. */
export interface Question {
  /** All that decides the answer, but for the adapter. */
  readonly key: string;
  /** What is shown of it: an op, or a layer. */
  readonly label: string;
  /** The nodes of each place where it comes up; all places have as many. */
  readonly places: readonly (readonly string[])[];
  /** For each candidate, a choice for each node of a place. The first is what is shipped. */
  readonly candidates: readonly (readonly Choice[])[];
  /** Whether a dispatch of this node is part of what is measured. It is measured at the first place. */
  counts(node: string): boolean;
}

/** What a candidate chooses, at all places. */
export function choicesOf({ places }: Question, candidate: readonly Choice[]): Choices {
  return Object.fromEntries(places.flatMap((nodes) => nodes.map((node, i) => [node, candidate[i]!])));
}

type AskedAlgorithm = Extract<Asked, { algorithms: unknown }>;
type AskedTile = Extract<Asked, { request: unknown }>;

/**
 * One question a layer that has algorithms: its forward pass and its gradients share transforms, so that they are chosen
 * and measured together.
 */
export function algorithmQuestions(task: TuningTask, choices: Choices): Question[] {
  const asked = heard(task, { choices }).filter((each): each is AskedAlgorithm => "algorithms" in each);
  const layers = new Map<string, AskedAlgorithm[]>();
  for (const each of asked) {
    const layer = layerOf(each.node.name);
    layers.set(layer, [...(layers.get(layer) ?? []), each]);
  }
  const questions = [...layers].map(([layer, nodes]): Question => {
    const names = [...new Set(nodes.flatMap(({ algorithms }) => algorithms)), "direct"];
    const candidates = distinct([
      nodes.map(({ chosen }) => ({ algorithm: chosen })),
      ...names.map((name) =>
        nodes.map(({ algorithms }) => ({ algorithm: algorithms.includes(name) ? name : "direct" })),
      ),
    ]);
    return {
      key: keyOf(nodes, candidates),
      label: layer,
      places: [nodes.map(({ node }) => node.name)],
      candidates,
      counts: (node) => layerOf(node) === layer,
    };
  });
  return together(questions);
}

/** One question a product. */
export function tileQuestions(task: TuningTask, choices: Choices): Question[] {
  const asked = heard(task, { choices }).filter((each): each is AskedTile => "request" in each);
  const questions = asked.map((each): Question => {
    const { node, request, mostSlices, chosen } = each;
    const allowed = (tile: Tile): Tile => ({ ...tile, slices: Math.min(tile.slices, mostSlices) });
    const candidates = distinct([chosen, ...candidateTiles(task.adapter, request).map(allowed)].map((tile) => [tile]));
    return {
      key: keyOf([each], candidates),
      label: node.op,
      places: [[node.name]],
      candidates,
      counts: (other) => other === node.name,
    };
  });
  return together(questions).filter(({ candidates }) => candidates.length > 1);
}

function heard(task: TuningTask, request: Pick<PlanRequest, "choices">): Asked[] {
  const asked: Asked[] = [];
  task.build({ ...request, apart: true, asked: (each) => asked.push(each) });
  return asked;
}

/** Nodes are named after their layer: `conv2d/conv2dFilterGradient`. */
function layerOf(node: string): string {
  return node.split("/")[0]!;
}

function keyOf(asked: readonly Asked[], candidates: readonly (readonly Choice[])[]): string {
  const nodes = asked.map(({ node, inputs }) => [node.op, inputs.map(({ shape, dtype }) => [dtype, ...shape])]);
  const attributes = asked.map(({ node }) => node.attributes);
  return JSON.stringify([nodes, attributes, candidates]);
}

/** The first of those that read the same. */
function distinct<T>(values: readonly T[]): T[] {
  const texts = values.map((value) => JSON.stringify(value));
  return values.filter((_, i) => texts.indexOf(texts[i]!) === i);
}

/** Questions with one key become one, with all their places. */
function together(questions: readonly Question[]): Question[] {
  const byKey = new Map<string, Question>();
  for (const question of questions) {
    const known = byKey.get(question.key);
    const places = [...(known?.places ?? []), ...question.places];
    byKey.set(question.key, { ...(known ?? question), places });
  }
  return [...byKey.values()];
}
