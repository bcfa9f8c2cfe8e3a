/** Messages and bytes sent over time, by plane, in equal bins. */
import { Kind, planeNames } from "./kinds.ts";
import { firstAt, type Trace } from "./trace.ts";

export interface Traffic {
  readonly from: number;
  readonly binUs: number;
  readonly bins: number;
  /** plane × bins + bin; planes as in `planeNames`, then one for those not known. */
  readonly messages: Float64Array<ArrayBuffer>;
  readonly bytes: Float64Array<ArrayBuffer>;
}

export const trafficPlanes = planeNames.length + 1;

/** Above this many events every k-th is counted k times: the picture is the same, the time bounded. */
const maxCounted = 600_000;

export function buildTraffic(trace: Trace, from: number, to: number, bins: number): Traffic {
  const binUs = Math.max(1, (to - from) / bins);
  const messages = new Float64Array(trafficPlanes * bins);
  const bytes = new Float64Array(trafficPlanes * bins);
  const { t, kind, label, value, labels } = trace;
  const planeOfLabel = Int32Array.from(labels, ({ plane }) =>
    plane < 0 ? trafficPlanes - 1 : plane,
  );
  const first = firstAt(trace, from);
  const last = firstAt(trace, to);
  const stride = Math.max(1, Math.ceil((last - first) / maxCounted));
  for (let i = first; i < last; i += stride) {
    if (kind[i] !== Kind.send) continue;
    const bin = Math.min(bins - 1, Math.floor(((t[i] as number) - from) / binUs));
    const at = (planeOfLabel[label[i] as number] as number) * bins + bin;
    messages[at] = (messages[at] as number) + stride;
    bytes[at] = (bytes[at] as number) + (value[i] as number) * stride;
  }
  return { from, binUs, bins, messages, bytes };
}
