import type { Model } from "../../../src/index.ts";
import type { OnnxOptions } from "../../../src/onnx/onnx.ts";
import type { NamedTolerance } from "../../support/tolerances.ts";

/** Model that is written as an ONNX file and run by ONNX Runtime beside us. */
export interface OnnxCase {
  readonly name: string;
  readonly model: Model<unknown>;
  readonly tolerance: NamedTolerance;
  readonly options?: OnnxOptions;
  /** Default: direct convolutions, whose sums are those of ONNX Runtime but for their order. */
  readonly winograd?: boolean;
}
