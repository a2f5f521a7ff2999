"""Readers of an installed osmocom pySim, for those that only pySim knows.

Used by its documented calls alone: ``argparse_add_reader_args`` and
``init_reader`` of ``pySim.transport``, and of the link that gives: ``connect``,
``disconnect``, ``reset_card``, ``get_atr``, ``send_apdu_raw``, ``send_apdu``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from typing import Any, NoReturn

from card.errors import CardError, NoCard, NoReader, NoSuchWay, TransmitError
from card.readers.returning import ReturningLink
from card.readers.t0 import without_le

INSTALL = "pip install git+https://gitea.osmocom.org/sim-card/pysim"


class PysimLink(ReturningLink):
    """The card behind a pySim link. A lost one is looked for again.

    Raises NoCard and NoReader as pySim does, TransmitError for what else fails in it.
    """

    def __init__(self, link: Any) -> None:
        self.reader = f"pysim:{link}"
        self._link = link
        # until 2024 this left GET RESPONSE to us; since then send_apdu is given whole APDUs
        self._raw = getattr(link, "send_apdu_raw", None)
        self._is_lost = True
        self.connect()

    @property
    def atr(self) -> bytes:
        """Answer to reset; empty where pySim's link tells none."""
        tell = getattr(self._link, "get_atr", None)
        try:
            told = tell() if tell is not None else None
        except Exception as error:  # noqa: BLE001  whatever foreign code raises
            raise self._failure(error) from None
        if told is None:
            return b""
        return bytes.fromhex(told) if isinstance(told, str) else bytes(told)

    def transmit(self, command: bytes) -> bytes:
        """One command; pySim itself may fetch the answer and repeat a wrong Le."""
        if self.is_closed:
            raise NoCard(f"the connection to {self.reader} is closed")
        try:
            if self._raw is not None:
                data, sw = self._raw(without_le(command).hex())
            else:
                data, sw = self._link.send_apdu(command.hex())
            return bytes.fromhex(data) + bytes.fromhex(sw)
        except Exception as error:  # noqa: BLE001  whatever foreign code raises
            self._is_lost = True
            raise self._failure(error) from None

    def reset(self) -> None:
        """Power off and on."""
        try:
            self._link.reset_card()
        except Exception as error:  # noqa: BLE001  whatever foreign code raises
            self._is_lost = True
            raise self._failure(error) from None

    @property
    def is_lost(self) -> bool:
        """Whether pySim reported a failure of the reader or the card."""
        return self._is_lost

    def close(self) -> None:
        """Disconnect."""
        if not self.is_closed:
            self.is_closed = True
            with suppress(Exception):  # there is nothing to be done about it
                self._link.disconnect()

    def connect(self) -> None:
        """Connect to the card in the reader. Raises NoReader, NoCard, TransmitError."""
        try:
            self._link.connect()
        except Exception as error:  # noqa: BLE001  whatever foreign code raises
            raise self._failure(error) from None
        self._is_lost = False

    def _failure(self, error: Exception) -> CardError:
        return _translated(error, self.reader)


def open_pysim(options: str) -> PysimLink:
    """The card in the reader that pySim's own reader options name, as ``-p 0``.

    Raises NoReader, also when pySim is not installed, NoCard, TransmitError.
    """
    transport = _import_transport()
    parser = _Parser(prog="pysim:", add_help=False)
    try:
        words = shlex.split(options)
    except ValueError as error:
        parser.error(str(error))
    # pySim reports on stdout what it does; that is where our results go
    with redirect_stdout(sys.stderr):
        transport.argparse_add_reader_args(parser)
        try:
            link = transport.init_reader(parser.parse_args(words))
        except CardError:
            raise
        except Exception as error:  # noqa: BLE001  whatever foreign code raises
            raise _translated(error, f"pysim:{options}", at_start=True) from None
        if link is None:
            raise NoReader(f"pySim found no reader for the options {options!r}")
        return PysimLink(link)


class _Parser(argparse.ArgumentParser):
    """Its errors are ours."""

    def error(self, message: str) -> NoReturn:
        raise NoSuchWay(f"pySim has no such reader options: {message}\n{self.format_usage()}")


def _translated(error: Exception, reader: str, *, at_start: bool = False) -> CardError:
    """Ours for what pySim raised, by the names of its exceptions."""
    kind = type(error).__name__
    said = f"{kind}: {error}" if str(error) else kind
    if kind == "NoCardError":
        return NoCard(f"there is no card in {reader} (pySim says {said})")
    if at_start or kind == "ReaderError":
        return NoReader(f"pySim cannot use {reader} ({said})")
    return TransmitError(f"pySim failed at {reader} ({said})")


def _import_transport() -> Any:
    """pySim.transport. Raises NoSuchWay that says what is missing, or wrong."""
    try:
        import pySim.transport
    except ImportError as error:
        missing = error.name or ""
    else:
        if hasattr(pySim.transport, "init_reader"):
            return pySim.transport
        missing = "pySim.transport"
    if missing.partition(".")[0] != "pySim":
        raise NoSuchWay(f"pySim is installed but cannot be loaded: {missing} is missing")
    if find_spec("pySim") is not None:
        found = (
            "the installed package pySim has no pySim.transport.init_reader: it is not osmocom's"
        )
    elif find_spec("pysim") is not None:
        found = "the installed package `pysim` is PyPI's, another program than osmocom's pySim"
    else:
        found = "osmocom's pySim is not installed"
    raise NoSuchWay(f"{found}. It is not on PyPI: {INSTALL}")
