import { parseArgs } from "node:util";
import { CliError, firstLine } from "../../cli/errors.ts";
import type { NetworkName } from "../networks.ts";
import { jsonFile, networkOf } from "../options.ts";
import { HOSTS, type HostName } from "./hosts.ts";

export interface LabOptions {
  readonly help: boolean;
  readonly quick: boolean;
  readonly markdown: boolean;
  /** Absolute path. */
  readonly json: string | undefined;
  readonly network: NetworkName;
  readonly host: HostName | undefined;
}

const FLAGS = {
  quick: { type: "boolean", default: false },
  markdown: { type: "boolean", default: false },
  json: { type: "string" },
  network: { type: "string", default: "article" },
  host: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const LINES: Record<keyof typeof FLAGS, string> = {
  quick: "--quick           fewer rounds and points",
  network: "--network NAME    article (default), second, resnet, mobilenet or resnet18",
  host: "--host NAME       browser, or node: on Dawn, by the package webgpu",
  markdown: "--markdown        print the tables as Markdown",
  json: "--json FILE.json  write every figure",
  help: "--help            print this and stop",
};

/** One of the commands that measure our own figures. */
export interface LabCommand {
  /** `bench:kernels` */
  readonly name: string;
  readonly does: string;
  readonly takes: readonly (keyof typeof FLAGS)[];
  /** Where it runs unless `--host`, if it takes that, says another. */
  readonly host: HostName | "deno";
}

export function helpOf({ name, does, takes, host }: LabCommand): string {
  const lines = takes.map((flag) => `  ${LINES[flag]}`);
  return [
    does,
    "",
    `Usage: npm run ${name} -- [options]`,
    "",
    ...lines,
    "",
    `Runs in: ${host}${takes.includes("host") ? ", unless --host says another" : ""}. Environment: FEATUREMAP_MNIST and`,
    "FEATUREMAP_BROWSER as in npm run train; outside of a browser, VK_ICD_FILENAMES names the driver for Vulkan's loader.",
  ].join("\n");
}

/** Reads a command line. Throws a CliError (exit 2) that names the option, what it got and what it takes. */
export function parseLabOptions(command: LabCommand, args: readonly string[]): LabOptions {
  const options = Object.fromEntries(command.takes.map((flag) => [flag, FLAGS[flag]]));
  let values: { [K in keyof typeof FLAGS]?: string | boolean };
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true }));
  } catch (error) {
    const line = firstLine(error).replace(/\.( .*)?$/, "");
    throw new CliError(2, `${line}. "npm run ${command.name} -- --help" lists the options.`);
  }
  const { json } = values;
  return {
    help: values.help === true,
    quick: values.quick === true,
    markdown: values.markdown === true,
    json: typeof json === "string" ? jsonFile(json) : undefined,
    network: networkOf(String(values.network ?? "article")),
    host: values.host === undefined ? undefined : hostOf(String(values.host)),
  };
}

function hostOf(name: string): HostName {
  const known = HOSTS.find((host) => host === name);
  if (!known) throw new CliError(2, `--host takes ${HOSTS.join(" or ")}, got "${name}".`);
  return known;
}
