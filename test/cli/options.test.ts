import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliError } from "../../cli/errors.ts";
import { DEFAULTS, HELP, parseOptions } from "../../cli/options.ts";

describe("the options of npm run train", () => {
  it("have Keras's example for defaults", () => {
    const { train, ...rest } = parseOptions([]);
    expect(rest).toEqual({ help: false, report: undefined, save: undefined, tune: undefined });
    expect(train).toEqual({
      epochs: 10,
      batchSize: 128,
      optimizer: "sgd",
      learningRate: 0.01,
      trainSize: 60_000,
      testSize: 10_000,
      seed: 1,
      parity: false,
    });
  });

  it("are read in both spellings", () => {
    const args = [
      "--epochs",
      "3",
      "--batch-size=32",
      "--learning-rate",
      "5e-2",
      "--train-size=256",
      "--test-size",
      "1",
    ];
    const { train } = parseOptions([...args, "--seed", "0"]);
    expect(train).toMatchObject({ epochs: 3, batchSize: 32, learningRate: 0.05, trainSize: 256, testSize: 1, seed: 0 });
  });

  it("take the learning rate of the optimizer that is named, unless there is one", () => {
    expect(parseOptions(["--optimizer", "adam"]).train).toMatchObject({ optimizer: "adam", learningRate: 0.001 });
    const { train } = parseOptions(["--optimizer=adam", "--learning-rate=0.01"]);
    expect(train).toMatchObject({ optimizer: "adam", learningRate: 0.01 });
  });

  it("are all in the help, with their defaults", () => {
    for (const name of [
      "epochs",
      "batch-size",
      "optimizer",
      "learning-rate",
      "train-size",
      "test-size",
      "seed",
      "report",
      "save",
    ]) {
      expect(HELP).toContain(`--${name} `);
    }
    for (const value of Object.values(DEFAULTS).filter((value) => value !== false))
      expect(HELP).toContain(String(value));
    expect(parseOptions(["--help"]).help).toBe(true);
    expect(parseOptions(["--help", "--epochs", "none"]).help).toBe(true);
  });

  it.each([
    [["--epochs", "0"], /--epochs takes a whole number from 1 to \d+, got "0"/],
    [["--epochs", "1.5"], /--epochs/],
    [["--epochs", "1e3"], /--epochs/],
    [["--epochs", ""], /--epochs/],
    [["--batch-size", "60001"], /--batch-size .* from 1 to 60000, got "60001"/],
    [["--train-size", "60001"], /--train-size/],
    [["--test-size", "10001"], /--test-size/],
    [["--seed", "-1"], /--seed/],
    [["--seed", "4294967296"], /--seed/],
    [["--optimizer", "adamax"], /--optimizer takes sgd or adam, got "adamax"/],
    [["--learning-rate", "0"], /--learning-rate takes a number above 0, got "0"/],
    [["--learning-rate", "NaN"], /--learning-rate/],
    [["--learning-rate", "Infinity"], /--learning-rate/],
    [["--learning-rate", " "], /--learning-rate/],
    [["--epochs"], /--epochs/],
    [["--epoch", "1"], /--epoch'.*--help/],
    [["1"], /npm run train -- --epochs 1/],
    [["--parity", "--epochs", "1"], /--parity fixes --epochs/],
    [["--parity=yes"], /--parity/],
    [["--report", "no/such/folder/report.json"], /--report: there is no folder ".*folder"/],
    [["--report", "report.txt"], /--report .*\.json/],
    [["--save", "weights.bin"], /--save .*\.safetensors/],
  ])("%j is refused with one line and exit status 2", (args, message) => {
    const error = caught(() => parseOptions(args));
    expect(error).toBeInstanceOf(CliError);
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^[^\n]*[^.]\.$/);
  });

  it("fix all but the files in parity mode", () => {
    expect(parseOptions(["--parity"]).train).toEqual({ ...DEFAULTS, epochs: 1, parity: true });
  });
});

describe("the files to write", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "featuremap-options-"));
    mkdirSync(join(folder, "folder.json"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("need a folder, not to be one, and come back absolute", () => {
    const report = join(folder, "report.json");
    const save = join(folder, "weights.safetensors");
    const tune = join(folder, "kernels.json");
    expect(parseOptions(["--report", report, "--save", save, "--tune", tune])).toMatchObject({ report, save, tune });
    expect(parseOptions(["--report", "report.json"]).report).toBe(join(process.cwd(), "report.json"));
    const error = caught(() => parseOptions(["--report", join(folder, "folder.json")]));
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining("is a folder") });
  });
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
