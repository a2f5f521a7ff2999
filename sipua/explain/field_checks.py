"""What is wrong with credentials at first sight, without any key: a small function each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sipua.auth.nonce import AUTS_SIZE
from sipua.auth.scheme import CREDENTIALS_HEADERS
from sipua.errors import ParseError
from sipua.explain.credentials import NOTHING, RES, kind_of, scheme_of
from sipua.explain.finding import TERMINAL, Finding
from sipua.sip.grammar import HEX_DIGITS, made_of, split

if TYPE_CHECKING:
    from sipua.explain.case import Case

Check = Callable[["Case"], Iterator[Finding]]


def _other_realm(case: Case) -> Iterator[Finding]:
    realm = case.told.get("realm")
    if realm != case.challenge.realm:
        yield _fault(
            "realm-differs",
            f'The credentials say realm "{realm}", the challenge says "{case.challenge.realm}".',
            "The realm of the challenge goes back as it came (RFC 7616 §3.4), also where the home "
            "domain is called otherwise.",
            "Take the realm from the challenge.",
        )


def _other_uri(case: Case) -> Iterator[Finding]:
    uri = case.told.get("uri")
    if case.request_known and "uri" in case.told.params and uri != case.uri:
        yield _fault(
            "uri-differs",
            f"The credentials say uri {uri}, the Request-URI is {case.uri}.",
            "Both are one text (RFC 3261 §22.4); registrars compare them letter by letter.",
            "Build the Request-URI once and use that text for the uri, too.",
        )


def _other_nonce(case: Case) -> Iterator[Finding]:
    nonce = case.told.get("nonce")
    if nonce in case.next_nonces:
        return
    if "nonce" in case.told.params and nonce != case.challenge.nonce:
        old = any(nonce == each.nonce for each in case.earlier)
        yield _fault(
            "nonce-differs",
            "The credentials answer an earlier challenge, not the last one."
            if old
            else "The nonce of the credentials is not that of the challenge.",
            "The nonce goes back as the text that came; even another spelling of the same octets "
            "is another nonce (RFC 7616 §3.4).",
            "Keep the nonce as text; decode a copy of it for the card.",
        )


def _other_user(case: Case) -> Iterator[Finding]:
    username = case.told.get("username")
    subscriber = case.subscriber
    if "username" not in case.told.params:
        return
    if username.lower().startswith(("sip:", "sips:", "tel:")):
        yield _fault(
            "impu-for-impi",
            f'The user name is "{username}", a public identity.',
            "The user name is the private identity, IMPI, which has no scheme in front "
            "(TS 24.229 §5.1.1.2.2).",
            "Use the IMPI as user name; the IMPU belongs into To and From.",
        )
    elif subscriber and subscriber.impi and username != subscriber.impi:
        public = {uri.partition(":")[2] for uri in subscriber.impu}
        yield _fault(
            "impu-for-impi" if username in public else "username-differs",
            f'The user name is "{username}", the IMPI of the profile is "{subscriber.impi}".',
            "The HSS finds the key by the IMPI.",
            "Use the IMPI of the card as user name.",
        )
    elif "@" not in username and case.challenge.scheme == "aka":
        yield _fault(
            "username-without-domain",
            f'The user name "{username}" has no domain.',
            "A private identity has the form user@domain (TS 23.003 §13.3); some S-CSCFs then look "
            "for the IMPU instead.",
            "Use the IMPI with its domain.",
        )


def _other_algorithm(case: Case) -> Iterator[Finding]:
    said = case.told.get("algorithm")
    asked = case.challenge.algorithm
    if case.challenge.scheme not in ("aka", "digest-umts"):
        return
    if not said:
        yield _fault(
            "algorithm-missing",
            f"The credentials name no algorithm, the challenge says {asked}.",
            "Without it MD5 with a password is meant (RFC 7616 §3.4).",
            f"Send algorithm={asked}.",
        )
    elif said.lower() != asked.lower():
        yield _fault(
            "algorithm-differs",
            f"The credentials say algorithm {said}, the challenge says {asked}.",
            "The algorithm of the challenge goes back with the answer (RFC 7616 §3.4).",
            f"Send algorithm={asked}.",
        )


def _qop(case: Case) -> Iterator[Finding]:
    told, offered = case.told, case.challenge.qop_options
    qop = told.get("qop").lower()
    if case.challenge.scheme != "aka" or kind_of(told) != RES:
        return
    if qop and qop not in offered:
        yield _fault(
            "qop-not-offered",
            f"The credentials say qop={qop}; offered was {', '.join(offered) or 'none'}.",
            "One of the values offered is to be taken (RFC 7616 §3.4).",
            "Leave qop, nc and cnonce out where the challenge has no qop.",
        )
    if qop and not (told.get("nc") and told.get("cnonce")):
        yield _fault(
            "qop-without-count",
            "The credentials say qop and have no nc or no cnonce.",
            "With qop both are due (RFC 7616 §3.4).",
            "Send nc and cnonce with qop.",
        )
    if offered and not qop:
        yield _fault(
            "qop-missing",
            f"The challenge offers qop {', '.join(offered)}; the credentials have none.",
            "The old form of RFC 2069 is then computed, which some servers refuse.",
            "Answer with qop=auth, nc and cnonce.",
        )._replace(wrong=False)


def _count(case: Case) -> Iterator[Finding]:
    nc = case.told.get("nc")
    if nc and not (len(nc) == 8 and made_of(nc, HEX_DIGITS)):
        yield _fault(
            "nc-form",
            f'The nonce count is written "{nc}".',
            "It has eight hexadecimal digits (RFC 7616 §3.4).",
            "Write nc=00000001 for the first use of a nonce.",
        )
    elif nc and case.told.get("qop") and nc in case.counts:
        yield _fault(
            "nc-repeated",
            f"The nonce count {nc} was used with this nonce before.",
            "It counts the requests with one nonce (RFC 7616 §3.4); a server takes a second use "
            "for a replay.",
            "Count one higher with each request, and begin at 1 with each new nonce.",
        )


def _quoted(case: Case) -> Iterator[Finding]:
    try:
        parts = split(case.told.value.partition(" ")[2], ",", brackets=False)
    except ParseError:  # RFC 2543's PGP, say, which was read in another way
        return
    for part in parts:
        name, _, text = part.partition("=")
        if name.strip().lower() in ("algorithm", "qop", "nc") and text.lstrip().startswith('"'):
            yield _fault(
                "needless-quotes",
                f"The value of {name.strip()} stands in quotes.",
                "algorithm, qop and nc have none in credentials (RFC 7616 §3.4); some servers "
                "then find no nonce count.",
                f"Send {name.strip()} without quotes.",
            )._replace(wrong=False)


def _opaque(case: Case) -> Iterator[Finding]:
    opaque = case.challenge.opaque
    if case.challenge.scheme == "aka" and opaque and case.told.get("opaque") != opaque:
        yield _fault(
            "opaque-differs",
            "The opaque of the challenge did not come back as it was.",
            "It goes back unchanged, in quotes (RFC 7616 §3.4).",
            "Return opaque as it came.",
        )


def _auts(case: Case) -> Iterator[Finding]:
    text = case.told.get("auts")
    if not text or scheme_of(case.told) != "aka":
        return
    if len(text) == 2 * AUTS_SIZE and made_of(text, HEX_DIGITS):
        yield _fault(
            "auts-as-hex",
            "AUTS is written in hexadecimal.",
            "It is base64 text, 20 characters in quotes (RFC 3310 §3.4); servers find no AUTS in "
            "this and challenge with the old SQN again.",
            "Send base64 of the 14 octets.",
        )
    elif not case.told.auts:
        yield _fault(
            "auts-unreadable",
            f"AUTS cannot be read: {case.told.problem}.",
            "It is base64 text of 14 octets (RFC 3310 §3.4).",
            "Send base64 of the 14 octets which the card gave.",
        )
    if not case.told.get("response"):
        yield _fault(
            "auts-without-response",
            "AUTS came with an empty response.",
            "The response beside AUTS is computed over the empty password (RFC 3310 §3.4); "
            "some servers ignore AUTS without it, others check it.",
            "Compute the response with an empty password.",
        )


def _nothing_told(case: Case) -> Iterator[Finding]:
    told = case.told
    if kind_of(told) == NOTHING:
        yield _fault(
            "nothing-told",
            "The credentials hold neither RES nor AUTS, nor that the card refused.",
            "One of the three answers a challenge.",
            "See whether the card's answer reached whoever writes the credentials.",
        )
    elif told.problem and case.challenge.scheme != "aka" and kind_of(told) == RES:
        yield _fault(
            "answer-kind",
            f"What the answer is cannot be told: {told.problem}.",
            "Before RES, AUTS or the error code stands which of them it is.",
            "Put the mark of RES before it.",
        )


def _header(case: Case) -> Iterator[Finding]:
    due = CREDENTIALS_HEADERS[case.challenge.header]
    if case.told.header != due:
        yield _fault(
            "wrong-header",
            f"The answer stands in {case.told.header}, not in {due}.",
            f"{case.challenge.header} is answered in {due} (RFC 3261 §22.2, §22.3).",
            f"Send it as {due}.",
        )


def _capitals(case: Case) -> Iterator[Finding]:
    response = case.told.response
    if case.challenge.scheme == "aka" and response != response.lower() and not case.told.masked:
        yield _fault(
            "upper-case-response",
            "The response is written in capital letters.",
            "A digest is written in small hexadecimal letters (RFC 7616 §3.1: LHEX); "
            "some servers compare it letter by letter.",
            "Write it in small letters.",
        )


def _length(case: Case) -> Iterator[Finding]:
    algorithm = case.algorithm
    if algorithm is None or not case.told.response or case.told.masked:
        return
    due = len(algorithm.hash.hexdigest(b""))
    if len(case.told.response) != due:
        yield _fault(
            "response-length",
            f"The response has {len(case.told.response)} characters; {algorithm.token} gives "
            f"{due}.",
            "The hash of the algorithm fixes the length.",
            f"Compute the digest with {algorithm.hash.token} and write all of it.",
        )


def _fault(code: str, what: str, why: str, todo: str) -> Finding:
    return Finding(code, TERMINAL, what, why, todo)


CHECKS: tuple[Check, ...] = (
    _header,
    _nothing_told,
    _other_nonce,
    _other_realm,
    _other_uri,
    _other_user,
    _other_algorithm,
    _qop,
    _count,
    _quoted,
    _opaque,
    _auts,
    _length,
    _capitals,
)


def checked(case: Case) -> list[Finding]:
    """Every fault that can be seen in the fields of an answer."""
    checks = CHECKS if case.challenge.scheme in ("aka", "digest-umts") else (_header, _nothing_told)
    if kind_of(case.told) == RES and case.challenge.scheme == "pgp-umts":
        checks = (_header, _nothing_told, _other_nonce, _other_realm)
    return [finding for check in checks for finding in check(case)]
