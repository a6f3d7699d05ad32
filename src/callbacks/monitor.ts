import { aWord, cut, FeaturemapError, finiteNumber, oneOf } from "../base/errors.ts";
import { internalsOf, type WithInternals } from "../model/internals.ts";
import type { Logs } from "../training/history.ts";

/** Options of callbacks that watch a figure. */
export interface MonitorOptions {
  /** Name of the figure in the logs. Default `val_loss`. */
  readonly monitor?: string;
  /** Whether less or more is better. Default `auto`: less for losses, and for a metric what it says by its `direction`. */
  readonly mode?: "auto" | "min" | "max";
  /** Least change that counts as an improvement; its sign does not matter. */
  readonly minDelta?: number;
}

/** Monitor of a figure: tells what an improvement is (`keras/src/callbacks/monitor_callback.py`). */
export class Monitor {
  /** Best value so far; `undefined` before the first. */
  best: number | undefined;
  readonly #where: string;
  readonly #name: string;
  readonly #minDelta: number;
  #mode: "auto" | "min" | "max";

  /** @throws FeaturemapError `value` for an option that is out of range */
  constructor(options: MonitorOptions, where: string, minDelta = 0) {
    this.#where = where;
    this.#name = aWord(options.monitor ?? "val_loss", `${where}: monitor`);
    this.#mode = oneOf(options.mode ?? "auto", ["auto", "min", "max"], `${where}: mode`);
    this.#minDelta = Math.abs(finiteNumber(options.minDelta ?? minDelta, `${where}: minDelta`));
  }

  /** Finds the direction of `auto`. @throws FeaturemapError `value` where neither the name nor a metric tells it */
  async begin(model: WithInternals): Promise<void> {
    if (this.#mode !== "auto") return;
    const { compiled } = await internalsOf(model, this.#where);
    const name = this.#name.replace(/^val_/, "");
    const outputs = compiled.settings.training?.outputs ?? [];
    const several = compiled.network.outputs.length > 1;
    const named = (output: string, figure: string) => name === (several ? `${output}_${figure}` : figure);
    if (name === "loss" || outputs.some((output) => named(output.name, "loss"))) this.#mode = "min";
    const metric = outputs.flatMap((output) => output.metrics.filter((each) => named(output.name, each.name)))[0];
    if (metric?.direction) this.#mode = metric.direction === "up" ? "max" : "min";
    if (this.#mode === "auto") {
      const remedy = 'Give mode: "min" or "max"';
      throw new FeaturemapError(
        "value",
        `${this.#where}: whether less or more of "${cut(this.#name)}" is better is not known. ${remedy}.`,
      );
    }
  }

  /** Gives the figure's value. It warns where there is none. */
  of(logs: Logs): number | undefined {
    const value = logs[this.#name];
    if (value === undefined) {
      const names = Object.keys(logs).join(", ");
      console.warn(`${this.#where}: there is no figure "${this.#name}". The figures are: ${names}.`);
    }
    return value;
  }

  /** Tells whether a value is better than another one, by at least `minDelta`. Anything is better than nothing. */
  isBetter(value: number, than: number | undefined = this.best): boolean {
    if (than === undefined) return true;
    return this.#mode === "max" ? value - this.#minDelta > than : value + this.#minDelta < than;
  }
}
