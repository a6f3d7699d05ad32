import type { Column } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import type { PortColumn } from "./builder.ts";

/** Column on the GPU, and the port that reads it. */
export type FeedColumn = Column & PortColumn;

/** Data set as a model reads it: columns in the order of their ports. */
export interface Feed {
  readonly dataset: Dataset;
  readonly columns: readonly FeedColumn[];
}
