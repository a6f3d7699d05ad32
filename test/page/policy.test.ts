// The page's content security policy: the page obeys it in every state (all page tests watch for what it refuses), and what
// does not come out of the page's own files is refused.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

/** What somebody may get into the page's document, each with the directive that refuses it. */
const FOREIGN = [
  ["a script of another origin", "script-src-elem", `import("https://example.com/foreign.js")`],
  ["a script in an attribute", "require-trusted-types-for", `add("a", { onclick: "globalThis.foreign = 1" }).click()`],
  ["text that is run", "require-trusted-types-for", `(0, eval)("globalThis.foreign = 1")`],
  ["HTML in a string", "require-trusted-types-for", `document.body.innerHTML += "<img src=x onerror='foreign = 1'>"`],
  ["a script made of text", "require-trusted-types-for", `add("script").text = "globalThis.foreign = 1"`],
  ["a style element", "style-src-elem", `add("style").append("body { display: none }")`],
  ["a style in an attribute", "style-src-attr", `add("p", { style: "color: red" })`],
  ["a request to another origin", "connect-src", `fetch("https://example.com/")`],
  ["an image of another origin", "img-src", `add("img", { src: "https://example.com/a.png" })`],
  ["a frame", "frame-src", `add("iframe", { src: "https://example.com/" })`],
  ["another base", "base-uri", `add("base", { href: "https://example.com/" })`],
  ["a form that leaves", "form-action", `add("form", { action: "https://example.com/", method: "post" }).submit()`],
] as const;

describe("the page's policy", () => {
  it("is in the page, strict, and before everything that it is about", async () => {
    const { page, close } = await built.open();
    const head = await page.evaluate(() => [...document.head.children].map((element) => element.outerHTML));
    expect(head[0]).toMatch(/^<meta http-equiv="Content-Security-Policy"/);
    expect(head[0]).toMatch(/default-src 'none'; script-src 'self';/);
    expect(head[0]).not.toMatch(/unsafe|\*|https?:/);
    await close();
  });

  it("is the host's header too, where it sends one, and obeyed by the worker", async () => {
    const { page, problems, close } = await built.open();
    await adapterFound(page);
    const policy = await page.evaluate(async () => (await fetch("./")).headers.get("content-security-policy"));
    expect(policy).toMatch(/script-src 'self'/);
    expect(problems).toEqual([]);
    await close();
  });

  it("refuses scripts and styles that somebody has written into the page's file", async () => {
    const written =
      "<script>foreign = 1</script><style>p { color: red }</style><p style='color: red' onclick='foreign = 1'>";
    const prepare = (page: Page) =>
      page.route(built.url, async (route) => {
        const response = await route.fetch();
        const headers = { ...response.headers() };
        delete headers["content-security-policy"];
        await route.fulfill({ response, headers, body: (await response.text()).replace("<body>", `<body>${written}`) });
      });
    const { page, problems, close } = await built.open({ prepare });
    await adapterFound(page);
    expect(await page.evaluate(() => "foreign" in globalThis)).toBe(false);
    const by = problems.flatMap((line) => /refused by (\S+):/.exec(line)?.[1] ?? []);
    expect(new Set(by)).toEqual(new Set(["script-src-elem", "style-src-elem", "style-src-attr", "script-src-attr"]));
    await close();
  });

  it.each(FOREIGN)("refuses %s", async (_, directive, code) => {
    const { page, close } = await built.open();
    await adapterFound(page);
    expect(await refusedBy(page, code)).toContain(directive);
    expect(await page.evaluate(() => "foreign" in globalThis)).toBe(false);
    expect(new URL(page.url()).origin).toBe(new URL(built.url).origin);
    await close();
  });

  it.each([
    ["a script", `add("script").src = address`],
    ["a worker", `new Worker(address)`],
    ["a service worker", `navigator.serviceWorker.register(address)`],
  ])("has the page itself refuse the address of %s outside of its folder", async (_, code) => {
    const { page, close } = await built.open();
    for (const address of ["https://example.com/a.js", "/a.js", "../a.js", "data:text/javascript,1", "blob:x"]) {
      const said = await errorOf(page, `const address = ${JSON.stringify(address)}; await (${code})`);
      expect(said, address).toMatch(/^TypeError: This page runs no script of .*: it runs those of http.* only\.$/);
    }
    await close();
  });
});

/** Puts an element into the page. */
const ADD = `function add(name, attributes = {}) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return document.body.appendChild(element);
}`;

/** Directives by which the page refuses what code does in it, in half a second. */
async function refusedBy(page: Page, code: string): Promise<string[]> {
  await page.evaluate(() => {
    const refused: string[] = [];
    Object.assign(globalThis, { refused });
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => void refused.push(effectiveDirective));
  });
  await errorOf(page, code);
  await page.waitForTimeout(500);
  return page.evaluate(() => (globalThis as unknown as { refused: string[] }).refused);
}

/** Runs code in a task of the page's own, since what Playwright runs itself may do more than a page may. */
function errorOf(page: Page, code: string): Promise<string> {
  return page.evaluate(`new Promise((resolve) => {
    ${ADD}
    setTimeout(async () => {
      try {
        ${code};
        resolve("");
      } catch (error) {
        resolve(String(error));
      }
    });
  })`);
}
