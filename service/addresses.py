"""The address that a request comes from: the connection's other end, or what a trusted proxy says of it."""

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from store.settings import Network

FORWARDED_FOR = re.compile(r'for=(?:"\[?([^"\]]*)\]?(?::\d+)?"|([^;,\s]+))', re.IGNORECASE)
"""The nodes of RFC 7239's Forwarded field."""
FORWARDED_PROTO = re.compile(r'proto="?([a-z]+)', re.IGNORECASE)


def is_among(address: str, among: Sequence[Network]) -> bool:
    """Whether an address, or a network's, lies in one of the networks."""
    try:
        found = ipaddress.ip_address(address.partition("/")[0])
    except ValueError:
        return False
    return any(found in network for network in among)


def network_of(address: str) -> str:
    """The key that an address is counted by: itself, or for IPv6 its /64, which is one subscriber's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def address_of(scope: Scope, proxies: Sequence[Network]) -> str:
    """The caller's address: of a chain of proxies that are named, the last one that is not."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if not is_among(address, proxies):
        return address
    for hop in reversed(_forwarded(Headers(scope=scope))):
        try:
            ipaddress.ip_address(hop)
        except ValueError:  # hidden, or no address: nothing before it can be believed
            return address
        address = hop
        if not is_among(address, proxies):
            break
    return address


def is_https(scope: Scope, proxies: Sequence[Network]) -> bool:
    """Whether the caller's own connection is encrypted: this one, or, as a proxy that is named says, that to the first one."""
    is_encrypted: bool = scope["scheme"] == "https"
    client = scope.get("client")
    if is_encrypted or client is None or not is_among(str(client[0]), proxies):
        return is_encrypted
    headers = Headers(scope=scope)
    told = FORWARDED_PROTO.findall(",".join(headers.getlist("forwarded")))
    told += [entry.strip() for entry in ",".join(headers.getlist("x-forwarded-proto")).split(",")]
    return bool(told[0].lower() == "https")


def _forwarded(headers: Headers) -> list[str]:
    """The hops that the fields tell of, the nearest last."""
    told = ",".join(headers.getlist("forwarded"))
    if told:
        return [quoted or bare for quoted, bare in FORWARDED_FOR.findall(told)]
    return [_without_port(hop.strip()) for hop in ",".join(headers.getlist("x-forwarded-for")).split(",") if hop.strip()]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
