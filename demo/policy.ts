import type { Plugin } from "vite";

/** What the page may load and run: its own files, and nothing that is written into it. Images: the icon in `index.html`. */
const POLICY = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "data:",
  "connect-src": "'self'",
  "worker-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "object-src": "'none'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "default",
} as const;

/** Vite's own script writes styles into the page, and shows errors in HTML. */
const SERVED = {
  ...POLICY,
  "style-src": "'self' 'unsafe-inline'",
  "require-trusted-types-for": "",
  "trusted-types": "",
};

/**
 * Writes a content security policy into the page. The built page's preview sends it as a header too, as a host may: a
 * worker obeys headers only.
 */
export function contentPolicy(): Plugin {
  return {
    name: "featuremap-policy",
    transformIndexHtml: (_html, { server }) => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: textOf(server ? SERVED : POLICY) },
        injectTo: "head-prepend",
      },
    ],
    configurePreviewServer({ middlewares }) {
      middlewares.use((_request, response, next) => {
        response.setHeader("Content-Security-Policy", textOf(POLICY));
        next();
      });
    },
  };
}

function textOf(policy: Readonly<Record<keyof typeof POLICY, string>>): string {
  return Object.entries(policy)
    .filter(([, sources]) => sources !== "")
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join("; ");
}
