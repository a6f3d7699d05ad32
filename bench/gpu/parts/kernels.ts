// Every dispatch of the training step beside the best product of matrices of equal work.

import { createRuntime } from "../../../src/gpu/runtime.ts";
import { dataOf } from "../../data.ts";
import { kernelLines, kernelReport } from "../../lab/kernel-report.ts";
import { measureKernels } from "../../lab/kernels.ts";
import { PLAIN_NETWORKS } from "../../networks.ts";
import { runPart } from "../part.ts";

await runPart("kernels", async ({ quick, load, save, say }) => {
  const runtime = await createRuntime();
  const networks: object[] = [];
  for (const network of quick ? (["article"] as const) : PLAIN_NETWORKS) {
    const data = await dataOf(load, network);
    const figures = await measureKernels(runtime, data, { rounds: quick ? 1 : 15 }, () => {});
    const report = kernelReport(network, figures);
    networks.push({ network, report, figures });
    save({ adapter: runtime.adapter, networks });
    for (const line of kernelLines(report, figures, false)) say(line);
  }
});
