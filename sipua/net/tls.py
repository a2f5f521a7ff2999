"""SIP over TLS: who is trusted, the handshake, and what to do when it fails (RFC 3261 §26.3.2)."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sipua.errors import TlsFailure
from sipua.net.certificate import shown, speaks_for
from sipua.net.readiness import EVENT_READ, EVENT_WRITE
from sipua.net.tcp import OPEN, Connection

if TYPE_CHECKING:
    import socket

    from sipua.errors import NetworkError
    from sipua.net.streams import Streams
    from sipua.net.tls_settings import TlsSettings
    from sipua.sip.hop import Hop

CA_HINT = "give the CA that signed it with --ca-file, if you trust it"

# X509_V_ERR_… of <openssl/x509_vfy.h>, as SSLCertVerificationError.verify_code gives them.
UNTRUSTED = {
    9: "is not valid yet; check the clock of this machine",
    10: "has expired; its owner must renew it (or the clock of this machine is wrong)",
    18: "is self-signed and not known here; give it with --ca-file, if you trust it",
    19: f"comes from a CA that is not known here; {CA_HINT}",
    20: f"comes from a CA that is not known here; {CA_HINT}",
    21: f"comes from a CA that is not known here; {CA_HINT}",
    23: "has been revoked",
    26: "is not meant for servers (extendedKeyUsage)",
}

# SSLError.reason: what the peer's alert or its octets amount to.
BROKEN = {
    "WRONG_VERSION_NUMBER": "the peer does not speak TLS at this port; check the port",
    "HTTP_REQUEST": "the peer does not speak TLS at this port; check the port",
    "UNSUPPORTED_PROTOCOL": "the peer offers nothing newer than TLS 1.1, which is not safe",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer takes no version of TLS from 1.2 on",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer found no common cipher, or wants a certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a certificate of ours",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust our certificate",
}

CAUSES = {
    **dict.fromkeys((9, 10), "dates"),
    **dict.fromkeys((18, 19, 20, 21), "unknown-authority"),
}
NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")


class Contexts:
    """The two SSL contexts of one element, made when the first connection needs them."""

    def __init__(self, settings: TlsSettings | None) -> None:
        self._settings = settings
        self._client: ssl.SSLContext | None = None
        self._server: ssl.SSLContext | None = None

    @property
    def client(self) -> ssl.SSLContext:
        """For connections we open. Raises TlsFailure if a file of the settings is of no use."""
        if self._client is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False  # RFC 5922 has other rules: see _check_name
            settings = self._settings
            if settings is None or settings.ca_file is None:
                context.load_default_certs()
            else:
                try:
                    context.load_verify_locations(settings.ca_file)
                except OSError as error:
                    raise TlsFailure(
                        f"the CA file {settings.ca_file} cannot be used: {_said(error)}"
                    ) from None
            self._client = self._finish(context)
        return self._client

    @property
    def server(self) -> ssl.SSLContext:
        """For connections we accept; no certificate is asked of the client. Raises TlsFailure."""
        if self._server is None:
            if self._settings is None or self._settings.certificate is None:
                raise TlsFailure("to accept TLS a certificate and its key are needed")
            self._server = self._finish(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        return self._server

    def _finish(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        settings = self._settings
        if settings is not None and settings.certificate is not None:
            try:
                # An empty password, or OpenSSL would ask for one on the terminal.
                context.load_cert_chain(settings.certificate, settings.key, password="")
            except OSError as error:
                raise TlsFailure(
                    f"the certificate {settings.certificate} or its key cannot be used: "
                    f"{_said(error)}"
                ) from None
        return context


class TlsConnection(Connection):
    """A Connection whose octets go through TLS; the peer's name is checked before any is sent."""

    def __init__(
        self,
        streams: Streams,
        to_use: socket.socket,
        hop: Hop,
        contexts: Contexts,
        name: str | None,
    ) -> None:
        """``name`` is what the certificate must say, None where the peer connected to us."""
        super().__init__(streams, to_use, hop, opened_here=name is not None)
        self._contexts = contexts
        self.name = name
        self._secure: ssl.SSLSocket | None = None

    def _establish(self) -> None:
        if self._secure is None:
            context = self._contexts.server if self.name is None else self._contexts.client
            self._secure = self._socket = context.wrap_socket(
                self._socket,
                server_side=self.name is None,
                server_hostname=self.name,
                do_handshake_on_connect=False,
            )
        try:
            self._secure.do_handshake()
        except ssl.SSLWantWriteError:
            self._watch(EVENT_WRITE)
            raise
        except ssl.SSLWantReadError:
            self._watch(EVENT_READ)
            raise
        if self.name is None or self._check_name(self.name, self._secure.getpeercert() or {}):
            self._opened()

    def _check_name(self, name: str, certificate: dict[str, Any]) -> bool:
        if speaks_for(certificate, name):
            return True
        self.close(
            TlsFailure(
                f"{self.hop}: the certificate is for {shown(certificate)}, not for {name}; "
                f"check the name that was asked for, or get a certificate for it",
                "other-name",
            )
        )
        return False

    def _shut(self) -> None:
        if self._secure is not None:
            with suppress(OSError, ValueError):
                self._secure.unwrap()  # close_notify; its answer is not waited for
        super()._shut()

    def _must_wait(self, error: OSError) -> bool:
        return isinstance(error, BlockingIOError | ssl.SSLWantReadError | ssl.SSLWantWriteError)

    def _failure(self, error: OSError) -> NetworkError:
        if self.state == OPEN or self._secure is None:
            return super()._failure(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            fault = UNTRUSTED.get(error.verify_code, f"is not acceptable: {error.verify_message}")
            said = f"{self.hop}: the certificate of {self.name} {fault}"
            return TlsFailure(said, CAUSES.get(error.verify_code, ""))
        if isinstance(error, ssl.SSLEOFError | ConnectionError):
            fault = "the peer broke the handshake off; check that it speaks TLS at this port"
        else:
            fault = BROKEN.get(getattr(error, "reason", "") or "", _said(error))
        speaks_no_tls = getattr(error, "reason", "") in NO_TLS
        said = f"{self.hop}: TLS could not be set up: {fault}"
        return TlsFailure(said, "no-tls" if speaks_no_tls else "")

    def _has_more(self) -> bool:
        return self._secure is not None and self._secure.pending() > 0


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (error.strerror or str(error)).lower()
