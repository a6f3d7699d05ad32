import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What the compiler says of programs, by file name, that import the library as its users do; empty where they are right.
 *
 * @param options compiler options beside those of the repository
 */
export async function typeErrors(programs: ReadonlyMap<string, string>, options: object = {}): Promise<string> {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build", "programs-"));
  try {
    for (const [name, program] of programs) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), program);
    }
    const compilerOptions = { paths: { featuremap: ["../../src/index.ts"] }, ...options };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: ["**/*.ts"], exclude: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const said = promisify(execFile)(process.execPath, [tsc, "-p", folder]);
    return await said.then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
