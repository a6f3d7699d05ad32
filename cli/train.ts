// `npm run train`: trains the article's network in a browser that it finds, installs or is given.

import { createDisplay, type Display } from "./display.ts";
import { CliError, firstLine, reportError } from "./errors.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { findMnist } from "./mnist.ts";
import { type CommandLine, HELP, parseOptions } from "./options.ts";
import { compareWithKeras, parityOptions, readGolden } from "./parity.ts";
import { browserLabel, buildReport, summaryLines, writeOutput } from "./report.ts";
import { openSession, type Session } from "./session.ts";
import type { TrainEvent, TrainResult } from "./train-page/protocol.ts";

async function main(args: readonly string[]): Promise<number> {
  const command = parseOptions(args);
  const display = createDisplay();
  if (command.help) {
    display.line(HELP);
    return 0;
  }
  const golden = command.train.parity ? readGolden() : undefined;
  const train = golden ? parityOptions(command.train, golden) : command.train;
  const interrupt = listenForInterrupt(() =>
    display.line("Stopping after the step at hand; Ctrl-C again stops at once."),
  );
  try {
    const result = await run({ ...command, train }, display, interrupt.signal);
    if (interrupt.signal.aborted || !result?.test) return INTERRUPTED;
    if (!golden) return 0;
    const { line, passed } = compareWithKeras(result.test.accuracy, golden);
    display.line(line);
    return passed ? 0 : 1;
  } finally {
    interrupt.dispose();
  }
}

/** Trains, prints and writes the files. Undefined where the run was stopped before there was a page to train in. */
async function run(command: CommandLine, display: Display, signal: AbortSignal): Promise<TrainResult | undefined> {
  const session = await openUnlessStopped(command, display, signal);
  try {
    if (!session || signal.aborted) {
      writeFiles(command, display, session);
      return undefined;
    }
    const request = { options: command.train, save: command.save !== undefined, tune: command.tune !== undefined };
    const result = await session.train(request, signal, (event) => show(event, command, session, display));
    display.line(["", ...summaryLines(session.launched, command.train.epochs, result)].join("\n"));
    writeFiles(command, display, session, result);
    return result;
  } finally {
    await session?.close();
  }
}

// A Ctrl-C also ends the installation of a browser that is under way: that failure is no news.
async function openUnlessStopped(
  { tune }: CommandLine,
  display: Display,
  signal: AbortSignal,
): Promise<Session | undefined> {
  try {
    return await openSession(findMnist(), display.line, tune);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function show(event: TrainEvent, { train }: CommandLine, { launched }: Session, display: Display): void {
  switch (event.type) {
    case "ready":
      display.line(`Training in ${browserLabel(launched)} on ${event.adapter.label}.`);
      if (event.adapter.software) display.line(SOFTWARE);
      display.line(`${event.summary}\nTrain on ${train.trainSize} images, test on ${train.testSize}.`);
      break;
    case "compile":
      display.compiling(event.progress);
      break;
    case "warning":
      display.line(event.text);
      break;
    case "epochBegin":
      display.epochBegin(event.epoch, train.epochs);
      break;
    case "progress":
      display.progress(event.progress);
      break;
    case "epochEnd":
      display.epochEnd(event.progress);
      break;
    default:
      event satisfies never;
  }
}

const SOFTWARE =
  "This is a software adapter: the browser found no GPU it can use, and the processor does the work, far more slowly.";

/** Writes each file that was asked for, also where the other cannot be written. */
function writeFiles(command: CommandLine, display: Display, session?: Session, result?: TrainResult): void {
  const report = `${JSON.stringify(buildReport(command.train, session?.launched, result), null, 2)}\n`;
  const failures = [
    write("Report", command.report, report, display),
    write("Weights", command.save, session?.weights(), display),
  ].filter((failure) => failure !== undefined);
  if (failures.length > 0) throw new CliError(1, failures.map(firstLine).join(" "));
}

function write(what: string, path: string | undefined, content: string | Uint8Array | undefined, display: Display) {
  if (path === undefined || content === undefined) return undefined;
  try {
    writeOutput(path, content);
    display.line(`${what} written to ${path}`);
    return undefined;
  } catch (error) {
    return error;
  }
}

// `npm run train | head` closes the pipe: nobody reads on, which is no failure of this program.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.exitCode = await main(process.argv.slice(2)).catch((error) => reportError(error));
