/** Figures of an epoch by Keras 3's names: `loss`, the metrics, and the same of the validation data, `val_loss` and so on. */
export interface Logs {
  readonly loss: number;
  readonly accuracy?: number;
  readonly val_loss?: number;
  readonly val_accuracy?: number;
  [name: string]: number;
}

/** Result of `fit`: the figures of each epoch, by Keras 3's names. */
export class History {
  readonly epoch: number[];
  readonly history: Record<string, number[]> & { loss: number[] };
  /** Names of the last epoch's figures. */
  #last: string[] = [];

  /** @internal @param from History to copy. */
  constructor(from: Pick<History, "epoch" | "history"> = { epoch: [], history: { loss: [] } }) {
    const { epoch, history } = structuredClone({ ...from });
    this.epoch = epoch;
    this.history = history;
  }

  /** @internal */
  add(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    this.#last = [];
    this.extend(logs);
  }

  /** @internal Adds the figures that the last epoch does not have yet. */
  extend(logs: Logs): void {
    for (const [name, value] of Object.entries(logs)) {
      if (this.#last.includes(name)) continue;
      this.#last.push(name);
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }

  /** @internal Drops the figures of the last epoch. */
  dropLast(): void {
    this.epoch.pop();
    for (const name of this.#last) this.history[name]!.pop();
    this.#last = [];
  }
}
