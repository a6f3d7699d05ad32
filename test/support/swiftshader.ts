import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { findBrowser } from "../../cli/browser-find.ts";

/**
 * The manifest of the browser's software driver, for Vulkan's loader, where there is one. Debian's /usr/bin/chromium is a script that
 * starts /usr/lib/chromium/chromium.
 */
export function swiftShader(): string | undefined {
  const browser = findBrowser()?.path;
  if (!browser) return undefined;
  const folders = [dirname(realpathSync(browser)), join("/usr/lib", basename(browser))];
  return folders.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((file) => existsSync(file));
}
