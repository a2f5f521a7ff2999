"""Files that say whom TLS trusts and as whom it speaks; apart from tls.py, which loads ssl."""

from __future__ import annotations

from typing import NamedTuple


class TlsSettings(NamedTuple):
    """Paths of PEM files.

    ``ca_file`` replaces the system's CAs; ``certificate`` (with the chain) and
    ``key`` are needed to accept TLS, and shown to servers that ask for one. The
    key must not be encrypted; it may stand in the certificate's file.
    """

    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
