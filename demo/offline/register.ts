// Once opened, the built page opens without a network.

import { notify } from "../state/notices.ts";

const TOPIC = "newer";

/** Where the browser refuses, as in private windows, the page needs its network, and says nothing. */
export function keepOffline(): void {
  if (import.meta.env.PROD) begin().catch(() => {});
}

async function begin(): Promise<void> {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register(new URL("service-worker.js", document.baseURI));
  let [controlled, asked] = [serviceWorker.controller !== null, false];

  /** Tells of a build that is there in whole, and waits. */
  function offer(): void {
    if (!registration.waiting || !serviceWorker.controller) return;
    notify({
      topic: TOPIC,
      kind: "information",
      title: "A newer version of this page is here.",
      text: "It opens by itself once all tabs with this page are closed. If you reload now, what was trained and not kept is lost.",
      action: { label: "Reload now", run: takeOver },
    });
  }

  function takeOver(): void {
    asked = true;
    if (registration.waiting) registration.waiting.postMessage("take over");
    else location.reload();
  }

  serviceWorker.addEventListener("controllerchange", () => {
    if (asked) location.reload();
    else if (controlled) {
      notify({
        topic: TOPIC,
        kind: "information",
        title: "This page was updated in another tab.",
        text: "This tab works on as it is. Reload it when nothing trains here.",
        action: { label: "Reload now", run: () => location.reload() },
      });
    }
    controlled = true;
  });
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  offer();
}
