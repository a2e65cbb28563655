import ipaddr from "ipaddr.js";

/** Public by range, yet inside a cloud: Azure's platform address answers machines from within. */
const platformAddresses = new Set(["168.63.129.16"]);

/**
 * Whether an address is on the public internet: not this machine, a private
 * network, link-local (where clouds keep their metadata), carrier-grade NAT,
 * multicast, documentation or a transition range that could carry any of them.
 * An IPv4 address inside an IPv6 one is judged as itself.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // process(): ::ffff:127.0.0.1 -> 127.0.0.1
  const parsed = ipaddr.process(address);
  if (platformAddresses.has(parsed.toString())) return false;
  if (parsed.range() !== "unicast") return false;
  // Only 2000::/3 is assigned to the internet; ::127.0.0.1 and fec0::1 have no range of their own.
  return parsed.kind() === "ipv4" || parsed.match(ipaddr.parseCIDR("2000::/3"));
}
