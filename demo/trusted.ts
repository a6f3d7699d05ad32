interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): unknown;
}

/**
 * Lets scripts be run out of the page's own folder, and no others. The content security policy (`policy.ts`) has the browser
 * ask here for the address of every script, and lets no text become one. To be called once, before a worker is made.
 */
export function trustOwnScripts(): void {
  /** Older browsers do not ask. */
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const folder = new URL("./", location.href).href;
  trustedTypes?.createPolicy("default", {
    createScriptURL(address) {
      if (new URL(address, folder).href.startsWith(folder)) return address;
      throw new TypeError(`This page runs no script of ${address}: it runs those of ${folder} only.`);
    },
  });
}
