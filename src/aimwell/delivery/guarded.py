"""Where a connection may go: addresses of the public internet alone, checked after the name was resolved."""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

from aimwell.core.errors import Refused, Unavailable

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class Forbidden(Refused):
    """A name leads to an address inside the own network, to a machine itself, or to the metadata of a cloud."""


class Unresolved(Unavailable):
    """A name leads to no address."""


def checked_address(host: str, port: int, *, allowed: bool = False) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """The address to connect to, resolved once; connect to this and never to the name again.

    Every address of the name must be public, else it is Forbidden (a name that has both is a trap). allowed: a host
    that the settings name may be anywhere. Raises Unresolved when the name leads nowhere.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"The host {host!r} cannot be resolved", seen=str(error)) from error
    inside = [str(place[0]) for *_, place in found if not public(str(place[0]))]
    if inside and not allowed:
        raise Forbidden(
            f"The host {host!r} leads inside",
            expected="an address of the public internet",
            seen=inside[0],
            remedy="Use a public address, or name the host in allowed_hosts.",
        )
    family, _, _, _, (address, number, *_) = found[0]
    return family, (str(address), int(number))


def public(address: str) -> bool:
    """Whether an address belongs to the public internet; IPv4 inside of IPv6 is judged by itself.

    >>> (
    ...     public("8.8.8.8"),
    ...     public("10.0.0.1"),
    ...     public("169.254.169.254"),
    ...     public("::ffff:127.0.0.1"),
    ...     public("fe80::1%1"),
    ... )
    (True, False, False, False, False)
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(parsed)
    if inner is not None:
        return public(str(inner))
    return parsed.is_global and not (
        parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or parsed.is_loopback or parsed.is_link_local
    )


def _inner(parsed: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address carries: mapped, compatible, 6to4, Teredo, or translated (NAT64)."""
    if isinstance(parsed, IPv4Address):
        return None
    if parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    if parsed.sixtofour is not None:
        return parsed.sixtofour
    if parsed.teredo is not None:
        return parsed.teredo[1]
    if any(parsed in network for network in (*_NAT64, _COMPATIBLE)):
        return IPv4Address(int(parsed) & 0xFFFFFFFF)
    return None
