import type { Column } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";

/** Column of an input, with the factor of its numbers. */
export interface InputColumn extends Column {
  readonly scale: number;
}

/** Data set as a model reads it: a column for each input and, if there are labels, for each output. */
export interface Feed {
  readonly dataset: Dataset;
  readonly inputs: readonly InputColumn[];
  readonly labels: readonly Column[];
}
