import activations from "../golden/keras/activations.json";
import initializers from "../golden/keras/initializers.json";
import activationLayers from "../golden/keras/layers-activation.json";
import kernel from "../golden/keras/layers-kernel.json";
import merge from "../golden/keras/layers-merge.json";
import normalization from "../golden/keras/layers-normalization.json";
import pooling from "../golden/keras/layers-pooling.json";
import shape from "../golden/keras/layers-shape.json";
import losses from "../golden/keras/losses.json";
import metrics from "../golden/keras/metrics.json";
import networks from "../golden/keras/networks.json";
import { isMissing, type LayerCase, layerModel } from "./keras-golden.ts";
import { type InitializerCase, initialized } from "./keras-initializer.ts";
import { buildLoss, type LossCase } from "./keras-loss.ts";
import { buildMetric, buildWeighted, type MetricCase } from "./keras-metric.ts";
import { type NetworkCase, networkModel } from "./keras-network.ts";

/** Kinds of what Keras has and the golden figures cover. */
export type KerasKind = "layer" | "activation" | "loss" | "metric" | "weighted metric" | "initializer" | "network";

/** A name of Keras's, and which of its cases the library can run. */
export interface Coverage {
  readonly kind: KerasKind;
  readonly name: string;
  readonly present: readonly string[];
  readonly missing: readonly string[];
}

function casesOf<Case extends { readonly name: string }>(
  kind: KerasKind,
  files: readonly unknown[],
  nameOf: (one: Case) => string,
  make: (one: Case) => unknown,
): Coverage[] {
  const found = new Map<string, { kind: KerasKind; name: string; present: string[]; missing: string[] }>();
  for (const one of files.flatMap((file) => (file as { cases: Case[] }).cases)) {
    const name = nameOf(one);
    const group = found.get(name) ?? { kind, name, present: [], missing: [] };
    found.set(name, group);
    (isMissing(() => make(one)) ? group.missing : group.present).push(one.name);
  }
  return [...found.values()];
}

/** Goes through all cases. It needs no GPU: models and graphs are built, not run. */
export function kerasCoverage(): readonly Coverage[] {
  const layers = [kernel, pooling, shape, normalization, merge, activationLayers];
  return [
    ...casesOf<LayerCase>("layer", layers, ({ layer }) => layer.className, layerModel),
    ...casesOf<LayerCase>("activation", [activations], ({ name }) => name.split(" ")[0]!, layerModel),
    ...casesOf<LossCase>("loss", [losses], ({ loss }) => loss.className, buildLoss),
    ...casesOf<MetricCase>("metric", [metrics], ({ metric }) => metric.className, buildMetric),
    ...casesOf<MetricCase>("weighted metric", [metrics], ({ metric }) => metric.className, buildWeighted),
    ...casesOf<InitializerCase>("initializer", [initializers], ({ initializer }) => initializer, initialized),
    ...casesOf<NetworkCase>("network", [networks], ({ name }) => name, networkModel),
  ];
}

/** Lists what is missing, one a line: a name of which all cases are, else each case. */
export function pendingLines(coverage: readonly Coverage[]): string[] {
  return coverage.flatMap(({ kind, name, present, missing }) =>
    missing.length > 0 && present.length === 0 ? [`${kind} ${name}`] : missing.map((one) => `${kind} ${one}`),
  );
}
