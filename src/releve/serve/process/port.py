"""Holds a server's ports for as long as it runs: checked before anything starts, kept while workers restart."""

import errno
import socket

FIRST_FREE_FOR_ALL = 1024


class PortProblem(Exception):
    """A port cannot be listened on; the message names it and the flag that changes it."""


def reserve(host: str, port: int, *, flag: str) -> socket.socket:
    """Bind a port without listening on it, so that workers share it and no other program takes it meanwhile.

    Args:
        host: Address to listen on.
        port: The port; 0 picks a free one, see `number`.
        flag: The command-line flag that chose it, for the message.

    Raises:
        PortProblem: It is taken, not allowed, or the machine has no such address.
    """
    try:
        # First without SO_REUSEPORT: with it, a port that another server of the same user shares would seem free.
        with _bound(host, port, socket.SO_REUSEADDR) as probe:
            chosen = number(probe)
        return _bound(host, chosen, socket.SO_REUSEPORT)
    except OSError as error:
        raise PortProblem(_explain(error, host=host, port=port, flag=flag)) from error


def number(held: socket.socket) -> int:
    """The port that a socket is bound to."""
    return int(held.getsockname()[1])


def _bound(host: str, port: int, option: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, option, 1)
        held.bind((host, port))
    except OSError:
        held.close()
        raise
    return held


def _explain(error: OSError, *, host: str, port: int, flag: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program; end it, or choose another port with {flag} N"
    if error.errno == errno.EACCES and port < FIRST_FREE_FOR_ALL:
        return (
            f"port {port} is for root only; choose one above {FIRST_FREE_FOR_ALL - 1} with {flag} N, or put a proxy"
            " in front"
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"this machine has no address {host}; choose another with --host ADDRESS"
    return f"port {port} on {host} cannot be listened on ({error.strerror}); choose another with {flag} N"
