import { beforeAll } from "vitest";

/** Without llvmpipe every file fails, rather than pass on some other adapter. */
beforeAll(async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  const name = adapter ? adapter.info.description || adapter.info.device : "no adapter";
  if (!/llvmpipe/i.test(name)) {
    throw new Error(`These tests want Mesa's llvmpipe, got: ${name}. Start them by \`npm run test:llvmpipe\`.`);
  }
});
