import { describe, expect, it } from "vitest";
import { uniform } from "../../cli/keras/formula.ts";
import { auc } from "../../src/index.ts";
import golden from "../golden/metrics.json";
import { expectClose } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { areaUnderCurve, confusion, thresholdsOf, topKHits } from "./metrics.ts";

const p = Array.from({ length: golden.size }, (_, i) => Math.fround(uniform(1, i)));
const labels = p.map((value, i) => (uniform(2, i) < 0.2 + 0.5 * value ? 1 : 0));

describe("the reference", () => {
  it.each(golden.areas)("has Keras's area: $curve by $numThresholds, $summationMethod", ({ value, ...options }) => {
    const counts = confusion(p, labels, thresholdsOf(options.numThresholds));
    expectClose([areaUnderCurve(counts, options)], [value], tolerances.kerasArea, "area");
  });

  it.each(golden.topK)("has Keras's hits among the first $k", ({ k, value }) => {
    const { classes } = golden;
    const rows = golden.size / classes;
    const oneHot = new Float64Array(golden.size);
    for (let r = 0; r < rows; r++) oneHot[r * classes + Math.floor(uniform(3, r) * classes)] = 1;
    const hits = topKHits(p, oneHot, classes, k);
    expectClose([hits.reduce((a, b) => a + b, 0) / rows], [value], tolerances.kerasArea, "share");
  });
});

describe("auc's result", () => {
  it.each(golden.areas)("is the reference's: $curve by $numThresholds, $summationMethod", (options) => {
    const { numThresholds: size } = options;
    const { value: _, curve, summationMethod } = options as (typeof golden.areas)[number] & { curve: "ROC" };
    const metric = auc({ numThresholds: size, curve, summationMethod: summationMethod as "minoring" });
    const wanted = confusion(p, labels, thresholdsOf(size));
    // What lies between two thresholds.
    const counts = [wanted.falsePositives, wanted.truePositives].flatMap((above) =>
      Array.from(above, (count, i) => count - (above[i + 1] ?? 0)),
    );
    const got = metric.result!({ counts: Uint32Array.from(counts) });
    expectClose([got].flat(), [areaUnderCurve(wanted, options)], tolerances.float64, "area");
  });

  it("is 0 where nothing, or nothing positive, was counted, as Keras's is", () => {
    for (const curve of ["ROC", "PR"] as const) {
      const { result } = auc({ numThresholds: 3, curve });
      expect(result!({ counts: new Uint32Array(6) })).toBe(0);
      expect(result!({ counts: Uint32Array.of(2, 5, 0, 0, 0, 0) })).toBe(0);
    }
  });
});
