/**
 * A link on which there was no handshake for so long is down, at both ends: a session of 180 s, 5 s for another handshake, and
 * 90 s in which WireGuard tries it.
 *
 * @see spec/siderolink.md section 6
 */
export const LINK_DOWN_MS = 275_000;
