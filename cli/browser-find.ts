import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { posix, win32 } from "node:path";
import { chromium } from "playwright";
import { CliError } from "./errors.ts";

export interface FoundBrowser {
  readonly path: string;
  /** "Google Chrome", "Chromium", "Microsoft Edge", "Playwright's Chromium" or, for FEATUREMAP_BROWSER, the file's name. */
  readonly name: string;
}

/** What the finder asks of the machine, so that a test can describe another one. */
export interface BrowserSystem {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  isFile(path: string): boolean;
  /** Ubuntu's chromium packages are a script that asks for the snap, whose confinement keeps Playwright out. */
  isSnapStub(path: string): boolean;
  /** Where Playwright's own download would lie. */
  bundledPath(): string | undefined;
}

type Candidate = readonly [name: string, path: string];

const LINUX_COMMANDS: readonly Candidate[] = [
  ["Google Chrome", "google-chrome-stable"],
  ["Google Chrome", "google-chrome"],
  ["Chromium", "chromium"],
  ["Chromium", "chromium-browser"],
  ["Microsoft Edge", "microsoft-edge-stable"],
  ["Microsoft Edge", "microsoft-edge"],
];
const MAC_APPS = ["Google Chrome", "Chromium", "Microsoft Edge"];
const WINDOWS_FILES: readonly Candidate[] = [
  ["Google Chrome", "Google\\Chrome\\Application\\chrome.exe"],
  ["Chromium", "Chromium\\Application\\chrome.exe"],
  ["Microsoft Edge", "Microsoft\\Edge\\Application\\msedge.exe"],
];

/**
 * The browser to train in: FEATUREMAP_BROWSER, else an installed Chrome, Chromium or Edge, else Playwright's download,
 * else undefined. Throws a CliError (exit 1) where FEATUREMAP_BROWSER names no file.
 */
export function findBrowser(system: BrowserSystem = thisMachine()): FoundBrowser | undefined {
  return fromEnvironment(system) ?? installed(system) ?? bundled(system);
}

function fromEnvironment({ env, platform, isFile }: BrowserSystem): FoundBrowser | undefined {
  const path = env.FEATUREMAP_BROWSER;
  if (!path) return undefined;
  if (!isFile(path)) {
    throw new CliError(
      1,
      `FEATUREMAP_BROWSER names no file: "${path}". Set it to a Chrome, Chromium or Edge, or unset it.`,
    );
  }
  return { path, name: (platform === "win32" ? win32 : posix).basename(path) };
}

function installed(system: BrowserSystem): FoundBrowser | undefined {
  const hit = candidates(system).find(([, path]) => system.isFile(path) && !system.isSnapStub(path));
  return hit && { name: hit[0], path: hit[1] };
}

function bundled(system: BrowserSystem): FoundBrowser | undefined {
  const path = system.bundledPath();
  return path && system.isFile(path) ? { path, name: "Playwright's Chromium" } : undefined;
}

function candidates({ platform, env }: BrowserSystem): Candidate[] {
  if (platform === "darwin") {
    const folders = ["/Applications", ...(env.HOME ? [posix.join(env.HOME, "Applications")] : [])];
    return MAC_APPS.flatMap((app) => folders.map((dir) => [app, `${dir}/${app}.app/Contents/MacOS/${app}`] as const));
  }
  if (platform === "win32") {
    const folders = [env.ProgramFiles, env["ProgramFiles(x86)"], env.LOCALAPPDATA].filter((dir) => dir !== undefined);
    return WINDOWS_FILES.flatMap(([name, file]) => folders.map((dir) => [name, win32.join(dir, file)] as const));
  }
  const folders = (env.PATH ?? "").split(":").filter((dir) => dir !== "");
  return LINUX_COMMANDS.flatMap(([name, file]) => folders.map((dir) => [name, posix.join(dir, file)] as const));
}

function thisMachine(): BrowserSystem {
  return { platform: process.platform, env: process.env, isFile, isSnapStub, bundledPath };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isSnapStub(path: string): boolean {
  if (process.platform !== "linux") return false;
  if (realpathSync(path).endsWith("/snap")) return true;
  const head = Buffer.alloc(4096);
  const file = openSync(path, "r");
  const length = readSync(file, head);
  closeSync(file);
  const text = head.toString("latin1", 0, length);
  return text.startsWith("#!") && text.includes("/snap/bin/");
}

function bundledPath(): string | undefined {
  try {
    return chromium.executablePath();
  } catch {
    return undefined; // Playwright has no build for this platform.
  }
}
