/** A clock that all processes of a machine share and that never jumps, in milliseconds. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
