// What the commands that measure our own figures share: options, a host, the head of the report, the JSON.

import { type Log, reportError } from "../../cli/errors.ts";
import { INTERRUPTED } from "../../cli/interrupt.ts";
import { writeOutput } from "../../cli/report.ts";
import { machine, machineText } from "../machine.ts";
import { type OpenLab, openLab } from "./host.ts";
import type { HostName } from "./hosts.ts";
import { helpOf, type LabCommand, type LabOptions, parseLabOptions } from "./options.ts";

const log: Log = (line) => console.log(line);
/** What goes on meanwhile: not a part of the report. */
const progress: Log = (line) => console.error(line);

/** Runs a command of the command line and sets the exit status. `measure` returns the report's lines, and its JSON. */
export async function runCommand(
  command: LabCommand & { readonly host: HostName },
  measure: (open: OpenLab, options: LabOptions) => Promise<{ lines: readonly string[]; report: object }>,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(INTERRUPTED));
  try {
    const options = parseLabOptions(command, process.argv.slice(2));
    if (options.help) return log(helpOf(command));
    const open = await openLab(options.host ?? command.host, progress);
    try {
      const { adapter } = await open.lab.info();
      const { lines, report } = await measure(open, options);
      const started = new Date().toISOString();
      const head = `${started.slice(0, 10)}; ${machineText(machine())}; ${open.host}; adapter ${adapter.label}`;
      log([head, "", ...lines].join("\n"));
      const surroundings = { machine: machine(), host: open.host, adapter, started };
      if (options.json) writeOutput(options.json, `${JSON.stringify({ ...surroundings, ...report }, null, 2)}\n`);
    } finally {
      await open.close();
    }
    // Dawn's device would keep Node alive.
    process.exit(0);
  } catch (error) {
    process.exit(reportError(error));
  }
}
