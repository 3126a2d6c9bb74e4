"""Which addresses a server may be led to by an address that a stranger names (CWE-918, server-side request forgery)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

WEB_PORTS: Final = frozenset({80, 443})

_UNICAST: Final = IPv6Network("2000::/3")
"""All that is given out of IPv6. What else there is stays within a machine, a link, a site, or carries IPv4."""
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NOT_THE_WEB: Final = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure's own, which each machine there reaches
            "192.0.0.0/24",  # protocols' own; Oracle's cloud tells secrets at one of them. Older Pythons count them as global
            "192.88.99.0/24",  # relays of 6to4
            "2001::/23",  # protocols' own, Teredo among them, which carries IPv4
            "2002::/16",  # 6to4, which carries IPv4
            "3fff::/20",  # documentation; older Pythons do not know it
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to: the public web at its usual ports, less `never`; and exactly these of `also`."""

    also: frozenset[tuple[Address, int]] = frozenset()
    never: tuple[Network, ...] = ()

    def allows(self, address: Address, port: int) -> bool:
        """Whether a connection to this address and port may be made."""
        bare = without_wrapping(address)
        if self.names(bare, port):
            return True
        return port in WEB_PORTS and is_public(bare) and not any(bare in network for network in self.never)

    def names(self, address: Address, port: int) -> bool:
        """Whether the operator named just this one."""
        return (without_wrapping(address), port) in self.also


def is_public(address: Address) -> bool:
    """Whether everybody on the Internet may have this address, and nobody has it for a purpose of their own network."""
    address = without_wrapping(address)
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id is not None):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_THE_WEB)


def without_wrapping(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to (RFC 4291, section 2.5.5.2; RFC 6052), where it does."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def read_place(text: str) -> tuple[Address, int]:
    """`127.0.0.1:8080` or `[::1]:8080` as an address and a port.

    Raises:
        ValueError: it is none: names do not count, nor does an address without a port.
    """
    host, _, port = text.strip().rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
        if not 0 < number < 65536:
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r} is no address with a port, such as 10.1.2.3:8080") from None
    return without_wrapping(address), number
