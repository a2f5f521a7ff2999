"""What the user decided, put as the settings of the machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.register_request import RegistrationSettings

if TYPE_CHECKING:
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.identity import Identity
    from sipua.ims.register_response import Binding
    from sipua.ims.request import RequestSettings
    from sipua.ims.subscription_settings import SubscriptionSettings
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop
    from sipua.sip.offer_answer import LocalMedia


class Content:
    """What a request says: its method, header fields and body."""

    __slots__ = ("body", "content_type", "headers", "method")

    def __init__(
        self,
        method: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        content_type: str = "",
    ) -> None:
        self.method = method
        self.headers = headers
        self.body = body
        self.content_type = content_type


CAPABILITIES = Content("OPTIONS", (("Accept", "application/sdp"),))
"""Asks what somebody can do (RFC 3261 §11)."""


def text_message(text: str) -> Content:
    """A text (RFC 3428)."""
    body = text.encode("utf-8", "surrogateescape")
    return Content("MESSAGE", (), body, "text/plain;charset=UTF-8")


def own_contact(identity: Identity, hop: Hop, local: tuple[str, int]) -> str:
    """Our SIP URI at the address which requests to ``hop`` leave from."""
    user = identity.impi.partition("@")[0]
    host, port = local
    host = f"[{host}]" if ":" in host else host
    transport = "" if hop.transport == "UDP" else f";transport={hop.transport.lower()}"
    return f"sip:{user}@{host}:{port}{transport}"


def registration_settings(
    settings: AgentSettings, identity: Identity, contact: str
) -> RegistrationSettings:
    """For the registration of ``identity`` at ``contact``. Raises LocalError."""
    told, where = _terminal(settings)
    return RegistrationSettings(
        impi=identity.impi,
        impu=identity.impu,
        domain=identity.domain,
        contact=contact,
        contact_params=told,
        expires=settings.expires,
        algorithm=settings.algorithm,
        user_agent=settings.user_agent,
        supported="path, gruu" if settings.gruu else "path",
        headers=(*where, *settings.headers),
        schemes=settings.scheme,
        plain_res=settings.plain_res,
        # A server that wants more patience than the attempt has is told so at once.
        retry_limit=settings.timeout / 2,
        ipsec=settings.ipsec,
    )


def request_settings(
    settings: AgentSettings, identity: Identity, binding: Binding, hop: Hop, uri: str, what: Content
) -> RequestSettings:
    """For a request to ``uri`` through ``hop``, which stands on the registration ``binding``.

    A subscriber whose own identity was not registered along with it, as one
    derived from an IMSI may be barred, speaks as the default one (TS 24.229
    §5.1.2A.1.1).
    """
    from sipua.ims.request import RequestSettings
    from sipua.ims.target import preloaded_route

    return RequestSettings(
        method=what.method,
        uri=uri,
        impi=identity.impi,
        impu=_speaker(identity, binding),
        domain=identity.domain,
        headers=(*_whereabouts(settings), *settings.headers, *what.headers),
        body=what.body,
        content_type=what.content_type,
        route=preloaded_route(hop, binding.service_route),
        user_agent=settings.user_agent,
        schemes=settings.scheme,
        plain_res=settings.plain_res,
    )


def call_settings(
    settings: AgentSettings,
    identity: Identity,
    binding: Binding,
    hop: Hop,
    contact: str,
    media: LocalMedia,
) -> CallSettings:
    """For a call through ``hop`` that stands on the registration ``binding`` of ``contact``."""
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.target import preloaded_route

    return CallSettings(
        impi=identity.impi,
        impu=_speaker(identity, binding),
        contact=binding.gruu or contact,
        contact_params=_terminal(settings)[0],
        media=media,
        routes=preloaded_route(hop, binding.service_route),
        headers=(*_whereabouts(settings), *settings.headers),
        user_agent=settings.user_agent,
        schemes=settings.scheme,
        plain_res=settings.plain_res,
    )


def subscription_settings(
    settings: AgentSettings, identity: Identity, binding: Binding, hop: Hop, contact: str
) -> SubscriptionSettings:
    """For the reg event of the registration ``binding``: whose it is, TS 24.229 §5.1.1.3."""
    from sipua.ims.subscription_settings import SubscriptionSettings
    from sipua.ims.target import preloaded_route

    impu = _speaker(identity, binding)
    return SubscriptionSettings(
        uri=impu,
        impi=identity.impi,
        impu=impu,
        contact=contact,
        route=preloaded_route(hop, binding.service_route),
        headers=(*_whereabouts(settings), *settings.headers),
        user_agent=settings.user_agent,
        schemes=settings.scheme,
        plain_res=settings.plain_res,
    )


def _speaker(identity: Identity, binding: Binding) -> str:
    """Our public identity; the default one where ours was not registered along with it."""
    registered = binding.associated_uris
    return registered[0] if registered and identity.impu not in registered else identity.impu


def _terminal(settings: AgentSettings) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What goes behind our Contact, and the header fields that tell where we are."""
    if not (settings.imei or settings.features):
        return "", _whereabouts(settings)
    from sipua.ims.terminal import contact_params

    return contact_params(settings.imei, settings.features), _whereabouts(settings)


def _whereabouts(settings: AgentSettings) -> tuple[tuple[str, str], ...]:
    if not (settings.access_network or settings.visited_network):
        return ()
    from sipua.ims.terminal import whereabouts

    return whereabouts(settings.access_network, settings.visited_network)
