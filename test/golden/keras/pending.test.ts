import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kerasCoverage, pendingLines } from "../../support/keras-pending.ts";
import { rowsOf, SECTIONS, withTables } from "../../support/keras-table.ts";

const COVERAGE = kerasCoverage();
const PAGE = join(import.meta.dirname, "../../../docs/guide/keras.md");

// Both files are written anew by `npx vitest run --project unit test/golden/keras -u`.
describe("what Keras has", () => {
  it("and the library lacks is pending.txt, one name a line: whoever lands a name takes its lines out", async () => {
    await expect(`${pendingLines(COVERAGE).join("\n")}\n`).toMatchFileSnapshot("pending.txt");
  });

  it("is in the tables of the guide, with our name and its test", async () => {
    await expect(withTables(readFileSync(PAGE, "utf8"), COVERAGE)).toMatchFileSnapshot(PAGE);
  });

  it("is in the tables wherever there is a golden case", () => {
    const listed = SECTIONS.flatMap(({ kind, names }) => names.map((name) => `${kind} ${name}`));
    const tabled = COVERAGE.filter(({ kind }) => kind !== "network" && kind !== "weighted metric");
    const cases = tabled.map(({ kind, name }) => `${kind} ${name}`);
    expect(cases.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it("has two golden cases a layer and activation at least, and none that only seems to be there", () => {
    const few = COVERAGE.filter(({ kind, name, present, missing }) => {
      const cases = present.length + missing.length;
      return ["layer", "activation"].includes(kind) && cases < 2 && !SINGLE.includes(name);
    });
    expect(few.map(({ name }) => name)).toEqual([]);
    const [layers] = SECTIONS;
    expect(rowsOf(layers!, COVERAGE)[0]).toContain("`dense`");
    const gone = COVERAGE.map((each) => ({ ...each, present: [], missing: ["x: y"] }));
    expect(rowsOf(layers!, gone)[0]).toContain("not there yet");
  });
});

/** Layers without options that change what they compute. */
const SINGLE = ["Identity", "RepeatVector"];
