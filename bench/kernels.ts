// `npm run bench:kernels`: every dispatch of the training step, beside plain products of matrices of equal work.

import { runCommand } from "./lab/command.ts";
import { kernelLines, kernelReport } from "./lab/kernel-report.ts";

await runCommand(
  {
    name: "bench:kernels",
    does: "Times every kernel of a training step, and products of matrices of equal work on the same adapter.",
    takes: ["quick", "network", "host", "markdown", "json", "help"],
    host: "browser",
  },
  async ({ lab }, { network, quick, markdown }) => {
    const figures = await lab.kernels(network, { rounds: quick ? 3 : 9 });
    const report = kernelReport(network, figures);
    return { lines: kernelLines(report, figures, markdown), report: { ...report, figures } };
  },
);
