import metricsSource from "../../shaders/batch/lib/metrics.wgsl";
import { type Struct, structOf } from "../wgsl/struct.ts";

/** Layout of a sweep's metrics, as the kernel `advance` sees them. */
export function metricsLayout(): Struct<"loss_high" | "loss_low" | "hits" | "samples" | "steps" | "bad_step"> {
  return structOf(metricsSource, "Metrics");
}
