/** What can be told from a UDP packet's first bytes (RFC 9000, section 17), before any key is known. */

/** Every connection id that a node hands out has this length: long enough that none is guessed or met twice. */
export const connectionIdBytes = 8;

/** QUIC's least size of a first packet. A shorter one could be used to make us send more than we got. */
export const minInitialBytes = 1200;

/** Packets of this size pass everywhere but in the narrowest tunnels; a connection begins with them. */
export const basePacketBytes = 1350;

/** What passes where Ethernet does, 1,500 bytes, or jumbo frames of 9,000, less the headers of IPv6 and UDP. */
export const wellKnownBytes = [1500 - 48, 9000 - 48] as const;

/** The longest packet that quiche makes. */
export const maxPacketBytes = 16_383;

/** Room for a packet's header and seal, and a datagram frame's header, around a datagram. */
export const datagramOverheadBytes = 1 + connectionIdBytes + 4 + 16 + 3;

export type PacketForm = "long" | "short" | "other";

export function formOf(packet: Uint8Array): PacketForm {
  const first = packet[0] ?? 0;
  if ((first & 0x80) !== 0) return "long";
  // The fixed bit; packets without it are no QUIC, and path probes are among them.
  return (first & 0x40) !== 0 && packet.length > connectionIdBytes ? "short" : "other";
}
