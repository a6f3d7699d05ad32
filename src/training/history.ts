/** Figures of an epoch; Keras 3's names. Without `metrics: ["accuracy"]` there is no accuracy. */
export interface Logs {
  readonly loss: number;
  readonly accuracy?: number;
  readonly val_loss?: number;
  readonly val_accuracy?: number;
}

/** What was measured, as far as it is asked for; NaN where nothing was read. */
export function logsOf(
  { loss, accuracy }: { readonly loss: number; readonly accuracy: number } = { loss: Number.NaN, accuracy: Number.NaN },
  withAccuracy: boolean,
): Pick<Logs, "loss" | "accuracy"> {
  return withAccuracy ? { loss, accuracy } : { loss };
}

/** What `fit` returns: the figures of each epoch, under Keras 3's names. */
export class History {
  readonly epoch: number[];
  readonly history: Record<string, number[]> & { loss: number[] };

  /** @internal A copy, where it is given one. */
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
}
