/** Why a fetch of secrets is refused. Texts are for Events and logs, not for the asker. */
export type Refusal = 'NoBootExpected' | 'TokenMissing' | 'TokenWrong' | 'WrongAddress' | 'Expired';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: Refusal };

/**
 * Who may fetch a machine's secrets, and when (design: "Metadata is secret").
 * A boot is expected from the moment we powered the machine or saw its DHCP; the first address that then asks for the boot
 * script gets the boot's token, a second asker gets none. Survives a restart of the plane.
 */
export interface BootSessions {
  /** We powered the machine towards a network boot. */
  expectPowered(server: string): void;
  /** Its DHCP DISCOVER was seen. `server` when the packet names it (option 97), `mac` always. */
  expectSeen(mac: string, server?: string): void;
  /**
   * The machine at `address` asks for its boot script. Returns the token of this boot, or why it gets none.
   * The same address asking again within the boot gets the same token. `ownConfigArgument`: the Environment says itself where
   * the configuration is, so that its machine will ask for it without the token. `isForeignCard`: the Server's cards are known
   * and `mac` is none of them: it gets no token, whatever its DHCP said.
   */
  issue(
    server: string,
    mac: string,
    address: string,
    options?: { readonly ownConfigArgument?: boolean; readonly isForeignCard?: boolean },
  ): { readonly ok: true; readonly token: string } | { readonly ok: false; readonly reason: Refusal };
  /** May `address` read `/configdata` of `server`? Without a token only where the Environment brought its own talos.config argument. */
  checkConfig(server: string, token: string | undefined, address: string): Verdict;
  /** May the agent report about `server` (MarkServerAsWiped, UpdateBMCInfo)? */
  checkAgent(server: string, token: string | undefined): Verdict;
  /** The boot is over (the machine reported that it runs from disk, or the server was released). */
  close(server: string): void;
}
