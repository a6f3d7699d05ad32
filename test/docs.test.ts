// What the pages say of files, links and code. The guide's programs are run in test/guide.gpu.test.ts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../cli/entries.ts";
import { codeBlocks, programsOf } from "../cli/guide-code.ts";
import { guidePages, guideText } from "../cli/guide-pages.ts";
import { typeErrors } from "./support/type-errors.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Files and folders of the repository that pages speak of. */
const FILES = ["bench", "cli", "demo", "docs", "shaders", "src", "test"].flatMap((folder) => [
  folder,
  ...filesUnder(folder),
]);
const PAGES = [...readdirSync(ROOT), ...FILES].filter((path) => path.endsWith(".md"));

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? [path, ...filesUnder(path)] : [path];
    });
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const withoutBlocks = (markdown: string) => markdown.replace(/^ *```[\s\S]*?^ *```$/gm, "");

/** The record of what was, whose paths are those of its time. */
const HISTORY = "CHANGELOG.md";

/** Paths of the repository that a page names in backticks: `src/index.ts`, `shaders/lib/*.wgsl`, with or without more of a command. */
function namedPaths(markdown: string): string[] {
  const words = [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => code!.split(/\s+/));
  const path = /^(?:bench|cli|demo|docs|shaders|src|test)\/[\w./*{},-]*$/;
  return words
    .map((word) => word.replace(/[,.;:]$/, ""))
    .filter((word) => path.test(word) && !word.includes("node_modules"));
}

/** What GitHub calls a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .trim()
    .replace(/\s/g, "-");
}

/** Whether there is a file or folder of a path in which `*` stands for a part of a name and `{a,b}` for either. */
function exists(path: string): boolean {
  const pattern = path
    .replace(/\/$/, "")
    .replace(/[.]/g, "\\.")
    .replace(/\*+/g, "[^/]*")
    .replace(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(",", "|")})`);
  return FILES.some((file) => new RegExp(`^${pattern}$`).test(file));
}

function anchorsOf(path: string): string[] {
  return [...withoutBlocks(read(path)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!));
}

function linksOf(path: string): string[] {
  return [...withoutBlocks(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
}

/** Links of a page that lead nowhere. */
function broken(path: string): string[] {
  return linksOf(path).filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file, hash] = link.split("#") as [string, string?];
    const target = file ? posix.join(dirname(path), file) : path;
    if (!existsSync(join(ROOT, target))) return true;
    return hash !== undefined && !anchorsOf(target).includes(hash);
  });
}

describe("the pages", () => {
  it("are found", () => {
    for (const page of ["README.md", "docs/guide/training.md", "docs/decisions/README.md", "test/golden/README.md"])
      expect(PAGES).toContain(page);
  });

  it("are read by this test", () => {
    expect(["src/index.ts", "src/ops/", "test/{unit,gpu}/*.test.ts", "src/no.ts", "src/index"].map(exists)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(namedPaths("`src/index.ts`, `bash test/run.sh`, `npm test`\n```\n`src/no.ts`\n```\n")).toEqual([
      "src/index.ts",
      "test/run.sh",
    ]);
    expect(anchor("Winograd's algorithm")).toBe("winograds-algorithm");
  });

  it.each(PAGES.filter((page) => page !== HISTORY))("%s names files that exist", (page) => {
    expect(namedPaths(read(page)).filter((path) => !exists(path))).toEqual([]);
  });

  it.each(PAGES)("%s has links that lead somewhere", (page) => {
    expect(broken(page)).toEqual([]);
  });

  it.each(["docs/guide", "docs/decisions"])("of %s are all in its index", (folder) => {
    const pages = PAGES.filter((page) => dirname(page) === folder && !page.endsWith("README.md"));
    const linked = linksOf(`${folder}/README.md`).map((link) => posix.join(folder, link));
    expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
  });
});

describe("the README", () => {
  it("has 150 lines at most", () => {
    expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });

  it("shows the example whose script is weighed", () => {
    const plain = (code: string) =>
      code
        .replace(/\/\/.*$/gm, "")
        .replace(/\s+/g, "")
        .replaceAll(/,([}\]])/g, "$1");
    const weighed = plain(read("bench/systems/featuremap-article.ts"));
    // The README keeps the history, which weighs nothing.
    const shown = plain(codeBlocks(read("README.md"), "ts")[0]!).replace("consthistory=", "");
    const [, ...statements] = shown.split(";").filter(Boolean); // without the import
    expect(statements.length).toBe(6);
    expect(statements.filter((statement) => !weighed.includes(statement))).toEqual([]);
  });
});

describe("the programs of the pages", () => {
  /** By file name, a folder a page. */
  function programs(): Map<string, string> {
    const files = guidePages().flatMap((page) =>
      [...programsOf(guideText(page))].map(([file, code]) => [`${page}/${file}`, `${code}\nexport {};\n`] as const),
    );
    const given = "declare const images: Uint8Array, labels: Uint8Array, digits: Uint8Array;\n";
    return new Map([...files, ["README.md/page.ts", `${given}${codeBlocks(read("README.md"), "ts").join("")}`]]);
  }
  // A page shows what a call returns without using it.
  const paths = Object.fromEntries(ENTRIES.map(({ name, source }) => [name, [`../../${source}`]]));
  const options = { noUnusedLocals: false, paths };

  it("are right by the library's types", async () => {
    const all = programs();
    expect(all.size).toBeGreaterThan(10);
    expect(await typeErrors(all, options)).toBe("");
  }, 120_000);

  it("would be found wrong by them", async () => {
    const wrong = programs().get("training.md/page.ts")!.replace("epochs: 3", "epoch: 3");
    expect(await typeErrors(new Map([["wrong.ts", wrong]]), options)).toContain("'epoch' does not exist");
  }, 120_000);
});
