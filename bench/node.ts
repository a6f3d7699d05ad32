// `npm run bench:node`: our own figures where there is a GPU and no browser, on Dawn by the `webgpu` package.

import { stepFlop } from "./arithmetic.ts";
import { runCommand } from "./lab/command.ts";
import { kernelLines, kernelReport } from "./lab/kernel-report.ts";
import { groupOf } from "./measure.ts";
import { NETWORKS } from "./networks.ts";
import { spreadOf, spreadText } from "./statistics.ts";
import { table } from "./table.ts";

await runCommand(
  {
    name: "bench:node",
    does: "Times featuremap's training step, its inference and its kernels in Node, on Dawn.",
    takes: ["quick", "network", "markdown", "json", "help"],
    host: "node",
  },
  async ({ lab }, { network, quick, markdown }) => {
    const { firstStepMs } = await lab.open(network);
    const { batch } = NETWORKS[network];
    const warmMs = await lab.train({ first: 0, steps: 2, epochs: 1 });
    const group = groupOf(warmMs / 2, quick ? 1000 : 4000);
    const batches = [1, batch];
    const times: number[] = [];
    for (const size of batches) {
      await lab.infer(size, 1);
      times.push(Math.min(500, Math.max(1, Math.round(500 / (await lab.infer(size, 1))))));
    }
    const stepMs: number[] = [];
    const inferMs = batches.map((): number[] => []);
    await lab.train(group);
    for (let round = 0; round < (quick ? 3 : 9); round++) {
      stepMs.push((await lab.train(group)) / (group.steps * group.epochs));
      for (const [i, size] of batches.entries()) inferMs[i]!.push((await lab.infer(size, times[i]!)) / times[i]!);
    }
    const figures = await lab.kernels(network, { rounds: quick ? 3 : 9 });
    const report = kernelReport(network, figures);
    const mflop = stepFlop(NETWORKS[network]) / 1e6;
    const spreads = [stepMs, ...inferMs].map((samples) => spreadOf(samples)!);
    const lines = [
      `Steady figures by the wall clock, in ms: medians (least-most). The first step, pipelines and all, took ${firstStepMs.toFixed(0)} ms.`,
      "",
      ...table(
        ["training step", "useful GFLOP/s", "infer 1", `infer ${batch}`],
        [[spreadText(spreads[0]), (mflop / spreads[0]!.median).toFixed(2), ...spreads.slice(1).map(spreadText)]],
        markdown,
      ),
      "",
      ...kernelLines(report, figures, markdown),
    ];
    const [step, infer1Ms, inferBatchMs] = spreads;
    return { lines, report: { firstStepMs, step, infer1Ms, inferBatchMs, kernels: report, figures } };
  },
);
