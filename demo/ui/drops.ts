/** A file that misses its place when it is dropped stays out: the browser would open it instead of the page. */
export function refuseStrayDrops(): void {
  for (const kind of ["dragover", "drop"] as const) {
    addEventListener(kind, (event) => {
      if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
    });
  }
}
