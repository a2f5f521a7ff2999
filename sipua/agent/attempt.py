"""One attempt, whatever it ends in: failures become the verdict of its result."""

from __future__ import annotations

import time
from os.path import basename
from typing import TYPE_CHECKING

from card.errors import CardError, ProfileError
from sipua.agent.identity_module import verdict_of
from sipua.errors import DnsFailure, EngineError, LocalError, NetworkError, TlsFailure
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.result import RegistrationResult


def carry_out(go: Callable[[], None], result: RegistrationResult) -> None:
    """Do it, and note in ``result`` how it ended, if by an exception, and how long it took.

    Raises ProfileError or LocalError when what was asked for cannot be meant.
    """
    started = time.monotonic()
    try:
        go()
    except EngineError as error:
        _end(result, Verdict.SECURITY_AGREEMENT, error)
    except (ProfileError, LocalError):
        raise
    except CardError as error:
        _end(result, verdict_of(error), error)
    except NetworkError as error:
        _end(result, verdict_of_network(error), error)
    except KeyboardInterrupt:
        result.end(Verdict.INTERRUPTED)
    except Exception as error:  # noqa: BLE001  an attempt ends in exactly one verdict
        result.end(Verdict.INTERNAL_ERROR, _fault(error))
    result.elapsed_ms = round((time.monotonic() - started) * 1000, 1)


def _end(result: RegistrationResult, verdict: Verdict, error: Exception) -> None:
    from sipua.agent.failure_advice import advise  # not needed when it goes well

    result.end(verdict, str(error), list(advise(error, verdict)))


def verdict_of_network(error: NetworkError) -> Verdict:
    """The verdict of an attempt that this failure ended."""
    if isinstance(error, DnsFailure):
        return Verdict.DNS_FAILURE
    return Verdict.TLS_FAILURE if isinstance(error, TlsFailure) else Verdict.UNREACHABLE


def _fault(error: Exception) -> str:
    """Where our own fault lies. Its message may quote a secret, so only its type is told."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}; please report it"
