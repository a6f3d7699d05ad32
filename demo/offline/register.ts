/** Once opened, the built page opens without a network. Where that is refused, as in private windows, it needs one. */
export function keepOffline(): void {
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI)).catch(() => {});
  }
}
