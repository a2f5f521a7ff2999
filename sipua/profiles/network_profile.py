"""What differs between networks, as a TOML file: defaults for options of the command line.

A profile never decides anything that the user has decided. Its keys are those
options; ``carrier.toml`` beside this file has all of them. The files that ship are
called by their name.
"""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from card.profile_table import Table
from sipua.errors import LocalError
from sipua.sip.grammar import is_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.profile_table import Fault

_SHIPPED = os.path.dirname(__file__)
_EXAMPLE = os.path.join(_SHIPPED, "carrier.toml")

MAX_EXPIRES = 2**32 - 1
UDP_LIMITS = (200, 65507)
"""Octets: the shortest request there could be, and the longest datagram."""

APPLICATIONS = ("auto", "isim", "usim")
TRANSPORTS = ("auto", "udp", "tcp", "tls")
IPSEC = ("auto", "require", "off")


class ProfileFault(LocalError):
    """A network profile that cannot be used; every fault is named with its line."""


class NetworkProfile(NamedTuple):
    """``options`` are values by the names of options, as the command line takes them;
    ``about`` tells people what it is for, ``sources`` where that is known from."""

    name: str
    about: str
    sources: tuple[str, ...]
    options: dict[str, Any]


def names() -> list[str]:
    """The profiles that ship."""
    return sorted(file[:-5] for file in os.listdir(_SHIPPED) if file.endswith(".toml"))


def load(name: str) -> NetworkProfile:
    """A profile that ships, by its name, or any by its path. Raises ProfileFault.

    What holds a slash or ends in .toml is a path.
    """
    is_path = os.sep in name or name.endswith(".toml")
    file = name if is_path else os.path.join(_SHIPPED, f"{name}.toml")
    try:
        with open(file, encoding="utf-8", newline="") as stream:
            text = stream.read()
    except OSError as error:
        if not is_path:
            known = ", ".join(names())
            raise ProfileFault(
                f"there is no network profile {name!r}; those that ship are {known}, "
                "and a file is given by its path"
            ) from error
        raise ProfileFault(
            f"the network profile {file} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ProfileFault(f"the network profile {file} is not UTF-8") from error
    return parse(text, os.path.basename(file).removesuffix(".toml"), file)


def parse(text: str, name: str = "", file: str = "(profile)") -> NetworkProfile:
    """Check a profile; raises ProfileFault with every fault there is."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProfileFault(f"the network profile {file} is not TOML: {error}") from error
    faults: list[Fault] = []
    top = Table(document, faults)
    about = top.text("about", _printable)
    sources = top.texts("sources", _printable, default=())
    options: dict[str, Any] = {}
    _identity(_Reader(top.table("identity", {}), options))
    _register(_Reader(top.table("register", {}), options))
    _transport(_Reader(top.table("transport", {}), options))
    _security(_Reader(top.table("security", {}), options))
    _services(_Reader(top.table("services", {}), options))
    top.end(example=_EXAMPLE)
    if faults:
        from card.profile_lines import report

        raise ProfileFault(report(faults, file, text))
    return NetworkProfile(name, about, sources, options)


class _Reader:
    """One table; what it has goes into ``options`` under the option's name."""

    def __init__(self, table: Table, options: dict[str, Any]) -> None:
        self.table = table
        self._options = options

    def has(self, key: str) -> bool:
        return key in self.table.left

    def put(self, option: str, value: Any) -> None:
        self._options[option] = value

    def choice(self, key: str, choices: tuple[str, ...], option: str = "") -> None:
        if self.has(key):
            self.put(option or key, self.table.text(key, _one_of(choices)))

    def text(self, key: str, check: Callable[[str], str], option: str = "") -> None:
        if self.has(key):
            self.put(option or key, self.table.text(key, check))

    def number(self, key: str, least: int, most: int, unit: str = "") -> None:
        if self.has(key):
            self.put(key, self.table.number(key, least, most, unit=unit))

    def flag(self, key: str) -> None:
        if self.has(key):
            self.put(key, self.table.flag(key, False))

    def texts(self, key: str, check: Callable[[str], str]) -> tuple[str, ...]:
        return self.table.texts(key, check) if self.has(key) else ()

    def end(self) -> None:
        self.table.end(example=_EXAMPLE)


def _identity(reader: _Reader) -> None:
    reader.choice("application", APPLICATIONS)
    reader.number("impu_index", 1, 254)
    reader.text("domain", _host)
    reader.end()


def _register(reader: _Reader) -> None:
    reader.text("algorithm", _token)
    reader.number("expires", 0, MAX_EXPIRES, "seconds")
    reader.flag("plain_res")
    reader.text("user_agent", _printable)
    reader.flag("gruu")
    reader.text("access_network", _printable)
    reader.text("visited_network", _printable)
    if reader.has("features"):
        reader.put("features", list(reader.texts("features", _printable)))
    if reader.has("schemes"):
        reader.put("scheme", ",".join(reader.texts("schemes", _token)))
    if reader.has("headers"):
        reader.put("headers", list(reader.texts("headers", _header)))
    reader.end()


def _transport(reader: _Reader) -> None:
    reader.choice("transport", TRANSPORTS)
    reader.text("pcscf", _printable)
    reader.number("udp_limit", *UDP_LIMITS, unit="octets")
    reader.flag("ims_timers")
    reader.flag("stun")
    reader.end()


def _security(reader: _Reader) -> None:
    reader.choice("ipsec", IPSEC)
    if reader.has("mechanisms"):
        reader.put("mechanisms", ",".join(reader.texts("mechanisms", _mechanism)))
    reader.end()


def _services(reader: _Reader) -> None:
    reader.flag("reg_event")
    reader.flag("keep_trying")
    reader.text("service_centre", _telephone_number)
    reader.text("psi", _uri)
    reader.end()


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return value

    return check


def _printable(value: str) -> str:
    if not value or not value.isprintable():
        raise ValueError("it must be printable text")
    return value


def _token(value: str) -> str:
    if not is_token(value):
        raise ValueError("it must be a name of letters, digits and hyphens")
    return value


def _host(value: str) -> str:
    if not value or not value.isascii() or set(value) & set(" @/:;,<>\"'"):
        raise ValueError("it must be the name of a domain")
    return value


def _header(value: str) -> str:
    name, colon, rest = value.partition(":")
    if not colon or not is_token(name.strip()) or not rest.isprintable():
        raise ValueError("each entry must be a header field as 'Name: value'")
    return value


def _mechanism(value: str) -> str:
    """An integrity and an encryption algorithm, as TS 33.203 Annex H names them."""
    from sipua.ipsec.suite import SUITES

    known = [suite.name for suite in SUITES.values()]
    if value.lower() not in known:
        raise ValueError(f"each entry must be one of {', '.join(known)}")
    return value


def _telephone_number(value: str) -> str:
    digits = value.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise ValueError("it must be a telephone number of up to 20 digits")
    return value


def _uri(value: str) -> str:
    if not value.lower().startswith(("sip:", "sips:", "tel:")) or not value.isprintable():
        raise ValueError('it must be a URI beginning "sip:", "sips:" or "tel:"')
    return value
