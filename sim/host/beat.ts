/** The store is made safe against power loss this often while it changes. */
const everyUs = 500_000;

/** When node `n` saves next. Beats differ between nodes, so that torn disks differ too. */
export function nextBeatUs(n: number, nowUs: number): number {
  const phaseUs = (n * 73_000) % everyUs;
  return phaseUs + (Math.floor((nowUs - phaseUs) / everyUs) + 1) * everyUs;
}
