import { describe, expect, it } from "vitest";
import { browserArgs } from "../../cli/browser.ts";
import { type BrowserSystem, findBrowser } from "../../cli/browser-find.ts";
import { type InstallSystem, installPlans } from "../../cli/browser-install.ts";

const BUNDLED = "/home/me/.cache/ms-playwright/chromium/chrome";

describe("findBrowser", () => {
  it("takes FEATUREMAP_BROWSER before all others", () => {
    const env = { FEATUREMAP_BROWSER: "/opt/mine/chrome", PATH: "/usr/bin" };
    const found = findBrowser(machine({ env, files: ["/opt/mine/chrome", "/usr/bin/chromium"] }));
    expect(found).toEqual({ path: "/opt/mine/chrome", name: "chrome" });
  });

  it("refuses a FEATUREMAP_BROWSER that names no file", () => {
    const system = machine({ env: { FEATUREMAP_BROWSER: "/nope", PATH: "/usr/bin" }, files: ["/usr/bin/chromium"] });
    expect(() => findBrowser(system)).toThrow('FEATUREMAP_BROWSER names no file: "/nope"');
  });

  it("takes an empty FEATUREMAP_BROWSER for none", () => {
    const system = machine({ env: { FEATUREMAP_BROWSER: "", PATH: "/usr/bin" }, files: ["/usr/bin/chromium"] });
    expect(findBrowser(system)?.path).toBe("/usr/bin/chromium");
  });

  it.each([
    ["google-chrome-stable", "Google Chrome"],
    ["google-chrome", "Google Chrome"],
    ["chromium", "Chromium"],
    ["chromium-browser", "Chromium"],
    ["microsoft-edge", "Microsoft Edge"],
  ])("finds %s in any folder of PATH on Linux", (command, name) => {
    const path = `/opt/bin/${command}`;
    expect(findBrowser(machine({ env: { PATH: "/usr/bin::/opt/bin" }, files: [path] }))).toEqual({ path, name });
  });

  it("prefers Chrome to Chromium, whatever the order in PATH", () => {
    const files = ["/a/chromium", "/b/google-chrome"];
    expect(findBrowser(machine({ env: { PATH: "/a:/b" }, files }))?.name).toBe("Google Chrome");
  });

  it("passes over Ubuntu's stub for the snap", () => {
    const stub = "/usr/bin/chromium-browser";
    const system = machine({ env: { PATH: "/usr/bin" }, files: [stub, BUNDLED], stubs: [stub] });
    expect(findBrowser(system)).toEqual({ path: BUNDLED, name: "Playwright's Chromium" });
  });

  it("finds applications on macOS, of the machine and of the user", () => {
    const chrome = "/Users/me/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    const edge = "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge";
    const env = { HOME: "/Users/me" };
    expect(findBrowser(machine({ platform: "darwin", env, files: [edge, chrome] }))?.path).toBe(chrome);
    expect(findBrowser(machine({ platform: "darwin", env: {}, files: [edge, chrome] }))?.path).toBe(edge);
  });

  it("finds programs on Windows", () => {
    const env = { ProgramFiles: "C:\\Program Files", "ProgramFiles(x86)": "C:\\Program Files (x86)" };
    const edge = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe";
    const found = findBrowser(machine({ platform: "win32", env, files: [edge] }));
    expect(found).toEqual({ path: edge, name: "Microsoft Edge" });
  });

  it("finds nothing where there is nothing", () => {
    expect(findBrowser(machine({ env: { PATH: "/usr/bin" } }))).toBeUndefined();
    expect(findBrowser({ ...machine({}), bundledPath: () => undefined })).toBeUndefined();
  });
});

describe("installPlans", () => {
  it("has Debian's package for root, then Playwright's download with its libraries", () => {
    const plans = installPlans(debian({}));
    expect(plans.map((plan) => plan.name)).toEqual(["apt-get", "Playwright"]);
    expect(plans[0]!.commands.at(-1)).toEqual(["apt-get", "install", "-y", "chromium"]);
    expect(plans[1]!.commands[0]).toEqual(expect.arrayContaining(["install", "chromium", "--with-deps"]));
  });

  it("leaves out Ubuntu's package, which only asks for the snap", () => {
    expect(installPlans(debian({ distribution: "ubuntu" })).map((plan) => plan.name)).toEqual(["Playwright"]);
  });

  it("asks for nothing that needs root where the user is not", () => {
    for (const system of [debian({ root: false }), debian({ platform: "darwin", aptGet: false })]) {
      const plans = installPlans(system);
      expect(plans.map((plan) => plan.name)).toEqual(["Playwright"]);
      expect(plans[0]!.commands[0]).not.toContain("--with-deps");
    }
  });
});

describe("browserArgs", () => {
  it("asks for SwiftShader only in software", () => {
    expect(browserArgs({ software: true })).toContain("--use-webgpu-adapter=swiftshader");
    expect(browserArgs({ software: false }).join(" ")).not.toContain("swiftshader");
    for (const software of [true, false]) expect(browserArgs({ software })).toContain("--enable-unsafe-webgpu");
  });
});

interface Machine {
  platform?: NodeJS.Platform;
  env?: Record<string, string>;
  files?: string[];
  stubs?: string[];
}

function machine({ platform = "linux", env = {}, files = [], stubs = [] }: Machine): BrowserSystem {
  return {
    platform,
    env,
    isFile: (path) => files.includes(path),
    isSnapStub: (path) => stubs.includes(path),
    bundledPath: () => BUNDLED,
  };
}

function debian(changes: Partial<InstallSystem>): InstallSystem {
  return { platform: "linux", root: true, aptGet: true, distribution: "debian", ...changes };
}
