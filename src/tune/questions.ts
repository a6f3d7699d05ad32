import type { OpenChoice } from "../graph/op.ts";
import type { Choice, Choices, Tile } from "../graph/tile.ts";
import { candidateTiles } from "../plan/shipped-tiles.ts";
import type { PlanRequest, TuningTask } from "../plan/tuning-task.ts";

/** Question: a choice to be made by measurement. Equal choices of a plan are one question. */
export interface Question {
  /** Key: all facts that decide the answer, except the adapter. */
  readonly key: string;
  /** Name to show: an op or a layer. */
  readonly label: string;
  /** Nodes of each place where the question comes up. All places have the same number of nodes. */
  readonly places: readonly (readonly string[])[];
  /** Candidates, each with a choice for each node of a place. The first is the shipped one. */
  readonly candidates: readonly (readonly Choice[])[];
  /** Tells whether a dispatch of this node is measured. Only the first place is. */
  isMeasured(node: string): boolean;
}

/** Gives the choices of a candidate, at all places. */
export function choicesOf({ places }: Question, candidate: readonly Choice[]): Choices {
  return Object.fromEntries(places.flatMap((nodes) => nodes.map((node, i) => [node, candidate[i]!])));
}

type OpenAlgorithm = Extract<OpenChoice, { algorithms: unknown }>;
type OpenTile = Extract<OpenChoice, { request: unknown }>;

/**
 * Asks one question for each layer that has algorithms. Its forward pass and its gradients share transforms, so they are chosen
 * and measured together.
 */
export function algorithmQuestions(task: TuningTask, choices: Choices): Question[] {
  const open = openChoices(task, { choices }).filter((each): each is OpenAlgorithm => "algorithms" in each);
  const layers = new Map<string, OpenAlgorithm[]>();
  for (const each of open) {
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
      isMeasured: (node) => layerOf(node) === layer,
    };
  });
  return together(questions);
}

/** Asks one question for each product. */
export function tileQuestions(task: TuningTask, choices: Choices): Question[] {
  const open = openChoices(task, { choices }).filter((each): each is OpenTile => "request" in each);
  const questions = open.map((each): Question => {
    const { node, request, maxSlices, chosen } = each;
    const allowed = (tile: Tile): Tile => ({ ...tile, slices: Math.min(tile.slices, maxSlices) });
    const candidates = distinct([chosen, ...candidateTiles(task.adapter, request).map(allowed)].map((tile) => [tile]));
    return {
      key: keyOf([each], candidates),
      label: node.op,
      places: [[node.name]],
      candidates,
      isMeasured: (other) => other === node.name,
    };
  });
  return together(questions).filter(({ candidates }) => candidates.length > 1);
}

function openChoices(task: TuningTask, request: Pick<PlanRequest, "choices">): OpenChoice[] {
  const open: OpenChoice[] = [];
  task.build({ ...request, unmerged: true, onOpenChoice: (each) => open.push(each) });
  return open;
}

/** Gives the layer of a node: `conv2d` of `conv2d/conv2dFilterGradient`. */
function layerOf(node: string): string {
  return node.split("/")[0]!;
}

function keyOf(open: readonly OpenChoice[], candidates: readonly (readonly Choice[])[]): string {
  const nodes = open.map(({ node, inputs }) => [node.op, inputs.map(({ shape, dtype }) => [dtype, ...shape])]);
  const attributes = open.map(({ node }) => node.attributes);
  return JSON.stringify([nodes, attributes, candidates]);
}

/** Drops candidates that read like an earlier one. */
function distinct<T>(values: readonly T[]): T[] {
  const texts = values.map((value) => JSON.stringify(value));
  return values.filter((_, i) => texts.indexOf(texts[i]!) === i);
}

/** Joins questions of one key into one, with all their places. */
function together(questions: readonly Question[]): Question[] {
  const byKey = new Map<string, Question>();
  for (const question of questions) {
    const known = byKey.get(question.key);
    const places = [...(known?.places ?? []), ...question.places];
    byKey.set(question.key, { ...(known ?? question), places });
  }
  return [...byKey.values()];
}
