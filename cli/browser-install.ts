import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type FoundBrowser, findBrowser } from "./browser-find.ts";
import { CliError, firstLine, type Log } from "./errors.ts";

/** What decides how a browser is installed. */
export interface InstallSystem {
  readonly platform: NodeJS.Platform;
  readonly root: boolean;
  readonly aptGet: boolean;
  /** ID of /etc/os-release, "" where there is none. */
  readonly distribution: string;
}

/** One way to install: its name for messages, and its commands in order. */
export interface InstallPlan {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
}

/** The found browser, or after an installation the new one. Throws a CliError (exit 1) where there is none even then. */
export async function ensureBrowser(log: Log): Promise<FoundBrowser> {
  const found = findBrowser();
  if (found) return found;
  await installBrowser(log);
  const fresh = findBrowser();
  if (fresh) return fresh;
  throw new CliError(1, `The installation left no browser behind. ${REMEDY}`);
}

/** Installs a Chromium by the first plan that works. Throws a CliError (exit 1) with the last plan's reason. */
export async function installBrowser(log: Log): Promise<void> {
  const reasons: string[] = [];
  for (const plan of installPlans(thisMachine())) {
    log(`No Chrome, Chromium or Edge found: installing Chromium with ${plan.name} (a few minutes) ...`);
    try {
      for (const command of plan.commands) await run(command);
      return;
    } catch (error) {
      reasons.push(`${plan.name}: ${firstLine(error)}`);
    }
  }
  throw new CliError(1, `No browser, and none could be installed (${reasons.join("; ")}). ${REMEDY}`);
}

const REMEDY = "Install Chrome, Chromium or Edge, or set FEATUREMAP_BROWSER to its path.";

/**
 * The distribution's package where root can have it, then Playwright's download. Ubuntu's chromium package is a stub
 * for the snap, so there the download comes first and last.
 */
export function installPlans(system: InstallSystem): InstallPlan[] {
  const linuxRoot = system.platform === "linux" && system.root;
  const plans: InstallPlan[] = [];
  if (linuxRoot && system.aptGet && system.distribution !== "ubuntu") {
    plans.push({
      name: "apt-get",
      commands: [
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "chromium"],
      ],
    });
  }
  // --no-shell: the headless shell that Playwright would add has no GPU and is never started here.
  const download = [process.execPath, playwrightCli(), "install", "--no-shell", "chromium"];
  plans.push({ name: "Playwright", commands: [linuxRoot ? [...download, "--with-deps"] : download] });
  return plans;
}

// `npx playwright` without npx: the same program, found from here whatever the current folder is.
function playwrightCli(): string {
  return join(dirname(createRequire(import.meta.url).resolve("playwright/package.json")), "cli.js");
}

function thisMachine(): InstallSystem {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    aptGet: existsSync("/usr/bin/apt-get"),
    distribution: /^ID="?([^"\n]*)/m.exec(release)?.[1] ?? "",
  };
}

/** Runs a command quietly; rejects with the last line it wrote to stderr (or stdout) where it fails. */
function run([command, ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command!, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out = `${out}${chunk}`.slice(-4096)));
    child.stderr.on("data", (chunk) => (err = `${err}${chunk}`.slice(-4096)));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(lastLine(err) ?? lastLine(out) ?? `${command} ended with ${signal ?? `status ${code}`}`));
    });
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1)?.trim() || undefined;
}
