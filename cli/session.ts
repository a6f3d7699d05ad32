import type { Browser, Page } from "playwright";
import type { Choices } from "../src/index.ts";
import { fileStore } from "../src/tune/file-store.ts";
import { type LaunchedBrowser, launchBrowser } from "./browser.ts";
import { CliError, firstLine, type Log } from "./errors.ts";
import { PAGE, type PageServer, startServer } from "./server.ts";
import {
  EVENT_FUNCTION,
  type TrainEvent,
  type TrainRequest,
  type TrainResult,
  TUNING_FUNCTION,
} from "./train-page/protocol.ts";

type Listener = (event: TrainEvent) => void;

/** A browser at the training page. */
export interface Session {
  readonly launched: LaunchedBrowser;
  /** Trains until done or `signal` aborts. Throws a CliError (exit 1) where the page, its device or the library fails. */
  train(request: TrainRequest, signal: AbortSignal, onEvent: Listener): Promise<TrainResult>;
  /** The safetensors bytes that the page has posted. */
  weights(): Uint8Array | undefined;
  close(): Promise<void>;
}

/**
 * Throws a CliError (exit 1) where there is no usable browser or the page does not load. `tuning` is the path of the file
 * that the page keeps its measured choices in, if it measures.
 */
export async function openSession(mnistFolder: string, log: Log, tuning?: string): Promise<Session> {
  const launched = await launchBrowser({ log });
  let server: PageServer | undefined;
  const close = async () => {
    await Promise.allSettled([launched.browser.close(), server?.close()]);
  };
  try {
    server = await startServer(mnistFolder);
    const page = await launched.browser.newPage();
    const death = watchForDeath(launched.browser, page);
    let listener: Listener = () => {};
    await page.exposeFunction(EVENT_FUNCTION, (event: TrainEvent) => listener(event));
    if (tuning !== undefined) await page.exposeFunction(TUNING_FUNCTION, remember(tuning));
    await openPage(page, server.url);
    const train: Session["train"] = (request, signal, onEvent) => {
      listener = onEvent;
      return Promise.race([trainIn(page, request, signal), death]);
    };
    return { launched, train, weights: server.weights, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Stored = readonly Choices[string][];

/** Reads what a file keeps for a key or, where there are choices, writes them. */
function remember(path: string): (key: string, choices?: Stored) => Promise<unknown> {
  const store = fileStore(path);
  return (key, choices) => (choices === undefined ? store.get(key) : store.set(key, choices));
}

async function openPage(page: Page, url: string): Promise<void> {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(firstLine(error)));
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`HTTP ${response.status()} for ${new URL(response.url()).pathname}`);
  });
  if (process.env.FEATUREMAP_DEBUG) page.on("console", (message) => console.error(`page: ${message.text()}`));
  await page.goto(url + PAGE);
  const loaded = await page.evaluate(() => globalThis.featuremapTrain !== undefined);
  if (!loaded) throw new CliError(1, `The training page did not load: ${problems[0] ?? "no reason given"}.`);
}

async function trainIn(page: Page, request: TrainRequest, signal: AbortSignal): Promise<TrainResult> {
  const stop = () => void page.evaluate(() => globalThis.featuremapTrain!.stop()).catch(() => {});
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    const outcome = await page.evaluate((sent) => globalThis.featuremapTrain!.start(sent), request);
    if (outcome.ok) return outcome.result;
    throw new CliError(1, firstLine(outcome.message), { cause: remoteError(outcome) });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function remoteError({ message, stack }: { message: string; stack: string }): Error {
  return Object.assign(new Error(message), { stack });
}

/** Rejects when the tab or the browser dies; never resolves. */
function watchForDeath(browser: Browser, page: Page): Promise<never> {
  const death = new Promise<never>((_, reject) => {
    const fail = (what: string) =>
      reject(new CliError(1, `${what} during training. Try again, or with less memory in use elsewhere.`));
    page.on("crash", () => fail("The browser's page crashed"));
    browser.on("disconnected", () => fail("The browser ended"));
  });
  death.catch(() => {}); // Also rejects when the session is closed, with nobody waiting.
  return death;
}
