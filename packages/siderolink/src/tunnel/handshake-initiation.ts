/** Whether a WireGuard datagram begins a handshake. @see wireguard.com/protocol, "First Message: Initiator to Responder" */
export function isHandshakeInitiation(datagram: Uint8Array): boolean {
  return datagram[0] === 1 && datagram.length === 148;
}
