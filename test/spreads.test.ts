import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

const files = ["src", "demo", "cli", "bench", "test"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("node_modules"))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
  .sort();

/** Spreads of an object or array that is written right there, which the formatter would have on lines of their own. */
function literalSpreads(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (!value || typeof value !== "object") return;
    const { type, argument, start, end } = value as { [key: string]: unknown; argument?: { type: string } };
    const spread = type === "SpreadElement" || type === "JSXSpreadAttribute";
    if (spread && /^(Object|Array)Expression$/.test(argument!.type))
      found.push(text.slice(start as number, end as number));
    for (const part of Object.values(value)) visit(part);
  };
  const { program, errors } = parseSync(path, text);
  if (errors.length) throw new Error(`${path}: ${errors[0]!.message}`);
  visit(program);
  return found;
}

describe("a spread of what is written right there", () => {
  it("is found by this test, and told from other spreads", () => {
    const text = 'const a = { ...{ b: 1 }, ...c, d: [...["e"], ...["f"].map(g), ...(h ? [1] : [])] }; // ...{ i }';
    expect(literalSpreads("a.ts", text)).toEqual(["...{ b: 1 }", '...["e"]']);
    expect(literalSpreads("a.tsx", "const a = <b {...{ c, d }} {...e} />;")).toEqual(["{...{ c, d }}"]);
  });

  it("stands nowhere: the formatter lays out lists", () => {
    expect(files.length).toBeGreaterThan(300);
    expect(
      files.flatMap((path) =>
        literalSpreads(path, readFileSync(join(root, path), "utf8")).map((each) => `${path}: ${each}`),
      ),
    ).toEqual([]);
  });
});
