"""The addresses that other machines reach this one at, for whoever listens on all of them."""

import fcntl
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from releve.protocol.site import is_loopback

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_SIOCGIFADDR = 0x8915  # ioctls of Linux's netdevice(7)
_SIOCGIFFLAGS = 0x8913
_IFF_UP = 1
_GLOBAL = "00"  # a scope in /proc/net/if_inet6 [proc(5)]
_ELSEWHERE = ("192.0.2.1", 9)  # RFC 5737: of nobody, and a datagram socket that connects sends nothing


def from_elsewhere(host: str) -> list[str]:
    """How other machines name a listening address in a URL; none when it is for this machine only.

    >>> from_elsewhere("192.168.1.20"), from_elsewhere("2001:db8::1"), from_elsewhere("127.0.0.1")
    (['192.168.1.20'], ['[2001:db8::1]'], [])
    """
    if host not in EVERYWHERE:
        return [] if is_loopback(host) else [_bracketed(host)]
    found = [str(address) for address in _version_4()]
    if host == "::":
        found += [str(address) for address in _version_6()]
    return [_bracketed(each) for each in dict.fromkeys(found) if not _is_near(each)]


def _is_near(host: str) -> bool:
    """Whether it is of this machine alone, or of one cable."""
    return is_loopback(host) or ip_address(host).is_link_local


def _version_4() -> Iterator[IPv4Address]:
    if sys.platform != "linux":
        yield from _of_the_default_route()
        return
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as any_socket:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:15])
            with suppress(OSError):  # it has no such address
                flags = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked), 16)[0]
                if flags & _IFF_UP:
                    yield IPv4Address(fcntl.ioctl(any_socket, _SIOCGIFADDR, asked)[20:24])


def _version_6() -> Iterator[IPv6Address]:
    with suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text("ascii").splitlines():
            digits, _, _, scope, *_ = line.split()
            if scope == _GLOBAL:
                yield IPv6Address(bytes.fromhex(digits))


def _of_the_default_route() -> Iterator[IPv4Address]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe, suppress(OSError):
        probe.connect(_ELSEWHERE)
        yield IPv4Address(probe.getsockname()[0])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
