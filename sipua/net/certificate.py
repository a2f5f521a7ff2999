"""Whether a certificate speaks for a SIP domain (RFC 5922 §7.1, §7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipua.net.address import is_numeric, packed

if TYPE_CHECKING:
    from collections.abc import Mapping

SIP_SCHEME = "sip:"


def identities(certificate: Mapping[str, Any]) -> list[str]:
    """Return the domains a certificate is for, out of what ssl's getpeercert() returns.

    SIP URIs without a user part count first and alone; without one the DNS
    names; the common name only if there is no subjectAltName at all.
    """
    names = certificate.get("subjectAltName")
    if names is None:
        subject = certificate.get("subject", ())
        return [text for part in subject for key, text in part if key == "commonName"]
    uris = [text for kind, text in names if kind == "URI"]
    domains = [
        _host(uri[len(SIP_SCHEME) :])
        for uri in uris
        if uri[: len(SIP_SCHEME)].lower() == SIP_SCHEME and "@" not in uri
    ]
    return domains or [text for kind, text in names if kind == "DNS"]


def addresses(certificate: Mapping[str, Any]) -> list[str]:
    """Return the numeric addresses a certificate is for, as getpeercert() spells them."""
    names = certificate.get("subjectAltName", ())
    return [text.strip() for kind, text in names if kind == "IP Address"]


def speaks_for(certificate: Mapping[str, Any], name: str) -> bool:
    """Whether ``name``, a domain or numeric address, is one of the certificate's.

    Compared whole and without case; no wildcard matches (RFC 5922 §7.2).
    """
    if is_numeric(name):
        return packed(name) in {packed(each) for each in addresses(certificate)}
    wanted = name.rstrip(".").lower()
    return any(each.rstrip(".").lower() == wanted for each in identities(certificate))


def shown(certificate: Mapping[str, Any]) -> str:
    """Return all names of a certificate for a sentence."""
    names = identities(certificate) + addresses(certificate)
    return ", ".join(names) if names else "no name at all"


def _host(after_scheme: str) -> str:
    host = after_scheme.partition(";")[0].partition("?")[0]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
