/**
 * How long a simulated node is busy with what it does, in microseconds of virtual time, before
 * `slow` multiplies it. Round figures of a server of today; they matter by making nodes queue, not
 * by their digits.
 */
export const messageUs = 20;
export const messageUsPerKib = 2;
export const timerUs = 5;
export const commitUs = 100;
export const commitUsPerKib = 10;
export const storeUs = 30;
export const storeUsPerKib = 10;
export const checkpointUs = 200;
