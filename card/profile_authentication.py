"""The table ``[authentication]`` of a profile: algorithm, keys and their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from card.profile_table import octets

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.profile_table import T, Table


class Authentication(NamedTuple):
    """The secret half of a subscriber, the same on the card and in the AuC.

    Sizes are in octets. ``k`` has 16, for TUAK also 32; ``opc`` (Milenage) 16,
    ``topc`` (TUAK) 32; ``amf`` 2; ``sqn`` is the 48-bit start value.
    ``res_length`` is 4 to 16. Milenage's own is 8, another one is for tests, see
    ``card.aka.algorithm``. ``c`` and ``r`` are Milenage's constants, both empty
    for the standard ones. ``iterations``, ``ck_length`` and ``ik_length`` are
    TUAK's, see ``card.aka.tuak``.
    """

    algorithm: str
    k: bytes
    opc: bytes = b""
    sqn: int = 0
    amf: bytes = b"\x80\x00"
    res_length: int = 8
    c: tuple[bytes, ...] = ()
    r: tuple[int, ...] = ()
    topc: bytes = b""
    iterations: int = 1
    ck_length: int = 16
    ik_length: int = 16

    def __repr__(self) -> str:
        return f"Authentication(algorithm={self.algorithm!r}, k, opc, topc=<secret>)"


def read_authentication(table: Table) -> Authentication:
    """The keys in ``[authentication]``; the table's faults tell whether to use them."""
    algorithm = table.text("algorithm", _algorithm)
    authentication = Authentication(
        algorithm=algorithm,
        k=b"",
        sqn=table.number("sqn", 0, 2**48 - 1, 0),
        amf=table.octets("amf", (2,), b"\x80\x00"),
        res_length=table.number("res_length", 4, 16, 8, unit="octets"),
    )
    if not algorithm:  # which keys belong to it cannot be said
        return authentication
    authentication = _OWN_KEYS[algorithm](table, authentication)
    table.end(f'with the algorithm "{algorithm}"')
    return authentication


def _algorithm(value: str) -> str:
    if value not in _OWN_KEYS:
        raise ValueError(f"it must be one of {', '.join(_OWN_KEYS)}")
    return value


def _milenage(table: Table, common: Authentication) -> Authentication:
    k = table.octets("k", (16,))
    op, opc = _one_of(table, "op", "opc", 16)
    if k and op:
        from card.aka.milenage import derive_opc

        opc = derive_opc(k, op)
    if not table.left.keys() & {"c", "r"}:
        return common._replace(k=k, opc=opc)
    from card.aka.milenage_constants import STANDARD_C, STANDARD_R, check_constants

    c = table.read("c", _list_of_five(lambda each: octets(each, (16,))), STANDARD_C, ())
    r = table.read("r", _list_of_five(_rotation), STANDARD_R, ())
    if c and r:
        try:
            check_constants(c, r)
        except ValueError as error:
            table.wrong("c", str(error))
    return common._replace(k=k, opc=opc, c=c, r=r)


def _tuak(table: Table, common: Authentication) -> Authentication:
    k = table.octets("k", (16, 32))
    iterations = table.number("iterations", 1, 255, 1)
    top, topc = _one_of(table, "top", "topc", 32)
    if k and top:
        from card.aka.tuak import derive_topc

        topc = derive_topc(k, top, iterations)
    return common._replace(
        k=k,
        topc=topc,
        iterations=iterations,
        ck_length=table.read("ck_length", _key_length, 16, 16),
        ik_length=table.read("ik_length", _key_length, 16, 16),
    )


def _xor(table: Table, common: Authentication) -> Authentication:
    return common._replace(k=table.octets("k", (16,)))


_OWN_KEYS = {"milenage": _milenage, "tuak": _tuak, "xor": _xor}
"""What each algorithm of ``card.aka.algorithm`` reads from the profile."""


def _one_of(table: Table, common: str, own: str, length: int) -> tuple[bytes, bytes]:
    """The operator's value or the subscriber's own, of which one must be given."""
    if (common in table.left) == (own in table.left):
        table.wrong(own, f'exactly one of "{own}" and "{common}" must be given')
    return table.octets(common, (length,), b""), table.octets(own, (length,), b"")


def _list_of_five(check: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    def check_all(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) != 5:
            raise ValueError("it must be a list of 5")
        return tuple(check(each) for each in value)

    return check_all


def _rotation(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 128:
        raise ValueError("each must be a number of bits from 0 to 127")
    return value


def _key_length(value: Any) -> int:
    if type(value) is not int or value not in (16, 32):
        raise ValueError("it must be 16 or 32 (octets)")
    return value
