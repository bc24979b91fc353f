"""Who may reach the desk: the browser that has its address, token and all, and no other page."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

__all__ = ["Gate"]


class Gate:
    """Decides on each request before the server sees it.

    A web page can send requests to this machine too, from its reader's browser. It knows no token,
    and its own name gives it away where it has made that name point here.

    Parameters
    ----------
    ip : str
        The address that is listened on.
    port : int
    """

    def __init__(self, ip: str, port: int) -> None:
        self.ip = ip
        self.port = port
        self.token = secrets.token_urlsafe(24)
        #: Browsers keep one set of cookies for all ports of a host.
        self.cookie = f"horizon-desk-{port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine is listened to."""
        return _is_here(self.ip)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        name = socket.gethostname() if _is_any(self.ip) else self.ip
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/?token={self.token}"

    def refusal(self, path: str, headers: Mapping[str, str]) -> str | None:
        """Return why a request is refused; None where it is let in.

        Parameters
        ----------
        path : str
            With its query.
        headers : mapping of str to str
            By names as they are usually spelled.
        """
        host = headers.get("Host", "").lower()
        if not self._is_ours(host):
            return "This desk is not reached by that name. Use the address that was printed."
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin.lower()).netloc != host:
            return "Another page cannot use this desk."
        goes_there = headers.get("Sec-Fetch-Mode") == "navigate"
        if headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not goes_there:
            return "Another page cannot use this desk."
        if not (self.has_token(path) or self._is_known(headers)):
            return "Open the whole address that horizon desk has printed, with its token."
        return None

    def has_token(self, path: str) -> bool:
        """Whether the address has the token."""
        return self._is_token(parse_qs(urlsplit(path).query).get("token", [""])[-1])

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        try:
            kept = SimpleCookie(headers.get("Cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return kept is not None and self._is_token(kept.value)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())

    def _is_ours(self, host: str) -> bool:
        """Whether a host, with or without its port, is one by which this is reached."""
        name = _name(host)
        if _is_here(name):
            return self.is_local or _is_any(self.ip)
        if self.is_local:
            return False
        # No name server can make a number, or this machine's own name, point elsewhere.
        own = socket.gethostname().lower()
        return name in (self.ip.lower(), own, f"{own}.local") or _number(name) is not None


def _name(host: str) -> str:
    """Return a host without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _number(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_here(name: str) -> bool:
    number = _number(name)
    return name == "localhost" if number is None else number.is_loopback


def _is_any(ip: str) -> bool:
    number = _number(ip)
    return not ip or (number is not None and number.is_unspecified)
