/** Figures of an epoch by Keras 3's names: `loss`, the metrics, and the same of the validation data, `val_loss` and so on. */
export interface Logs {
  readonly loss: number;
  readonly accuracy?: number;
  readonly val_loss?: number;
  readonly val_accuracy?: number;
  readonly [name: string]: number;
}

/** Result of `fit`: the figures of each epoch, by Keras 3's names. */
export class History {
  readonly epoch: number[];
  readonly history: Record<string, number[]> & { loss: number[] };

  /** @internal @param from History to copy. */
  constructor(from: Pick<History, "epoch" | "history"> = { epoch: [], history: { loss: [] } }) {
    const { epoch, history } = structuredClone({ ...from });
    this.epoch = epoch;
    this.history = history;
  }

  /** @internal */
  add(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }

  /** @internal Drops the figures of the last epoch. */
  dropLast(): void {
    this.epoch.pop();
    for (const figures of Object.values(this.history)) figures.pop();
  }
}
