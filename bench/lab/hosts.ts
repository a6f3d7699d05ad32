/** Where our own benches can run. */
export const HOSTS = ["browser", "node"] as const;

export type HostName = (typeof HOSTS)[number];
