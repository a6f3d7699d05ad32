import { cut, FeaturemapError, oneOf } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { checkedSpecs, type Variable } from "../graph/variable.ts";
import type { Loss } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Network } from "../network/network.ts";
import { meanLayout } from "../ops/batch/means.ts";

/** Loss, weight and metrics of one of a model's outputs that has a loss. */
export interface OutputSettings {
  readonly name: string;
  /** Number of the output among the model's. */
  readonly index: number;
  readonly loss: Loss;
  /** Factor of its mean loss in the sum of all. */
  readonly weight: number;
  readonly metrics: readonly Metric[];
}

/** Figures of a sweep so far: losses and metrics. */
export interface Figures {
  /** Figures by the names of Keras's logs, `loss` first. */
  readonly logs: { readonly loss: number } & Readonly<Record<string, number>>;
  /** Number of samples that the figures are over. */
  readonly samples: number;
  /** First step, counted from 1, whose loss is a NaN or infinite; 0 if there is none. */
  readonly badStep: number;
  /** Output whose loss that is, if several outputs have one. */
  readonly badOutput?: string;
  /** Whether that is not the loss of an output, but what layers add to the loss. */
  readonly badTerms?: boolean;
}

/** Mean over the samples, in its place in the variable `means`. */
export interface Mean {
  /** Output that the mean is of; `undefined` for the layers' own terms of the loss. */
  readonly output: string | undefined;
  /** Metric that the mean is of; `undefined` for a loss. */
  readonly metric: Metric | undefined;
}

/** Metric with accumulators of its own, and their variables. */
export interface AccumulatedMetric {
  readonly output: string;
  readonly metric: Metric;
  readonly variables: readonly { readonly name: string; readonly variable: Variable }[];
}

/** Path of the variable that holds all means. */
export const MEANS = "means";

/** Losses and metrics of a model: what the GPU adds up over the samples of a sweep, and how that becomes figures. */
export class Measures {
  readonly outputs: readonly OutputSettings[];
  readonly means: readonly Mean[];
  readonly accumulated: readonly AccumulatedMetric[];
  /** Metrics, and the names of their figures. */
  readonly #metrics: readonly {
    readonly output: string;
    readonly metric: Metric;
    readonly figures: readonly string[];
  }[];
  /** Whether metrics are named after their output, as in Keras: the model has several outputs. */
  readonly #byOutput: boolean;

  /**
   * @param outputs Settings of the outputs that have a loss, at least one.
   * @throws FeaturemapError `value` if two figures have one name
   */
  constructor(outputs: readonly OutputSettings[], network: Pick<Network, "outputs" | "layers">) {
    this.outputs = outputs;
    this.#byOutput = network.outputs.length > 1;
    const all = outputs.flatMap(({ name, index, metrics }) =>
      metrics.map((metric) => {
        const where = `Metric "${cut(metric.name)}": accumulators()`;
        const { shape } = network.outputs[index]!;
        const accumulators = checkedSpecs(metric.accumulators?.(shape) ?? [], where);
        for (const { dtype = "f32" } of accumulators) oneOf(dtype, ["f32", "u32"], `${where}: dtype`);
        const path = `${this.#prefix(name)}${metric.name}`;
        const figures = metric.figures?.(shape);
        return {
          output: name,
          metric,
          figures: figures ? Array.from(figures, (figure) => `${path}_${figure}`) : [path],
          variables: accumulators.map((each) => accumulatorOf(path, each)),
        };
      }),
    );
    this.#metrics = all;
    const terms = network.layers.some(({ layer }) => layer.losses) ? [{ output: undefined, metric: undefined }] : [];
    this.means = [
      ...outputs.map(({ name }) => ({ output: name, metric: undefined })),
      ...terms,
      ...all.filter(({ variables }) => variables.length === 0),
    ];
    this.accumulated = all.filter(({ variables }) => variables.length > 0);
    this.#assertNames();
  }

  /** Variables that are added up, in the order in which they are read back. */
  get variables(): readonly Variable[] {
    const shape = [this.means.length * meanLayout().words];
    const means: Variable = { path: MEANS, shape, dtype: "u32", role: "metric", trainable: false };
    return [means, ...this.accumulated.flatMap(({ variables }) => variables.map(({ variable }) => variable))];
  }

  /** Makes figures out of the bytes of all variables. */
  decode(bytes: ArrayBuffer): Figures {
    const layout = meanLayout();
    const means = this.means.map((mean, i) => {
      const { sum_high, sum_low, samples, bad_step } = layout.read(
        bytes.slice(i * layout.bytes, (i + 1) * layout.bytes),
      );
      return { ...mean, value: (sum_high + sum_low) / samples, samples, badStep: bad_step };
    });
    const all = means.filter(({ metric }) => metric === undefined);
    const losses = all.slice(0, this.outputs.length);
    // The terms of layers have no weight.
    const loss = all.reduce((sum, { value }, i) => sum + (this.outputs[i]?.weight ?? 1) * value, 0);
    const figures = new Map<string, number | readonly number[]>(
      means.map(({ output, metric, value }) => [keyOf(output, metric), value]),
    );
    let at = this.means.length * layout.bytes;
    for (const { output, metric, variables } of this.accumulated) {
      const values = variables.map(({ name, variable }) => {
        const count = variable.shape.reduce((a, b) => a * b, 1);
        const part = bytes.slice(at, at + count * 4);
        at += count * 4;
        return [name, variable.dtype === "f32" ? new Float32Array(part) : new Uint32Array(part)] as const;
      });
      figures.set(keyOf(output, metric), metric.result!(Object.fromEntries(values)));
    }
    const bad = all.filter(({ badStep }) => badStep > 0);
    const badStep = bad.length > 0 ? Math.min(...bad.map((mean) => mean.badStep)) : 0;
    const first = bad.find((mean) => mean.badStep === badStep);
    const badOutput = this.outputs.length > 1 ? first?.output : undefined;
    return {
      logs: this.#logs(
        loss,
        losses.map(({ value }) => value),
        (output, metric) => figures.get(keyOf(output, metric))!,
      ),
      samples: losses[0]!.samples,
      badStep,
      ...(badOutput !== undefined && { badOutput }),
      ...(first && first.output === undefined && { badTerms: true }),
    };
  }

  /** Gives figures of NaN, for when nothing was read. */
  none(): Figures {
    const losses = this.outputs.map(() => Number.NaN);
    return { logs: this.#logs(Number.NaN, losses, () => Number.NaN), samples: 0, badStep: 0 };
  }

  #logs(
    loss: number,
    losses: readonly number[],
    of: (output: string, metric: Metric) => number | readonly number[],
  ): Figures["logs"] {
    return Object.fromEntries(this.#figures(loss, losses, of)) as Figures["logs"];
  }

  /** Gives the figures with their names. */
  #figures(
    loss: number,
    losses: readonly number[],
    of: (output: string, metric: Metric) => number | readonly number[],
  ): (readonly [string, number])[] {
    const several = this.outputs.length > 1;
    return [
      ["loss", loss],
      ...(several ? this.outputs.map(({ name }, i) => [`${name}_loss`, losses[i]!] as const) : []),
      ...this.#metrics.flatMap(({ output, metric, figures }) => {
        const values = [of(output, metric)].flat();
        return figures.map((figure, i) => [figure, values[i] ?? Number.NaN] as const);
      }),
    ];
  }

  /** Refuses a figure that would hide another one: `a_loss` of a metric, `val_loss` of the validation data. */
  #assertNames(): void {
    const names = this.#figures(0, [], () => 0).map(([name]) => name);
    const [hidden] = names.filter(
      (name, i) => names.indexOf(name) < i || (name.startsWith("val_") && names.includes(name.slice(4))),
    );
    if (hidden === undefined) return;
    throw new FeaturemapError("value", `Two figures would be named "${cut(hidden)}". Rename a metric or an output.`);
  }

  /** Gives the beginning of a metric's name. */
  #prefix(output: string): string {
    return this.#byOutput ? `${output}_` : "";
  }
}

/** Gives a figure's key, since several outputs may have the same metric. */
function keyOf(output: string | undefined, metric: Metric | undefined): string {
  return `${output}/${metric?.name ?? "loss"}`;
}

function accumulatorOf(
  path: string,
  { name, shape, dtype = "f32" }: { name: string; shape: Shape; dtype?: "f32" | "u32" },
) {
  const variable: Variable = { path: `${path}/${name}`, shape, dtype, role: "metric", trainable: false };
  return { name, variable };
}
