"""Imports urllib3 without the port that it binds.

When it is imported, urllib3 binds a port of ::1 to learn whether IPv6 works, and the hub's client
imports it. Nothing here ever connects through it, and the only address that this server binds
shall be the one it listens on: whoever audits its system calls finds one bind.
"""

import importlib
import socket


def import_urllib3() -> None:
    """Tell urllib3 that there is no IPv6 while it looks."""
    has_ipv6 = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        importlib.import_module("urllib3")
    finally:
        socket.has_ipv6 = has_ipv6
