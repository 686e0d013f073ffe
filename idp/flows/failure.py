"""A failure becomes an answer: a page for people, JSON for programs. (A redirect to the client is `response.py`.)

Promises: the code that the specification names, one plain sentence, what to do, and a reference under which the log
has the rest; input is never repeated. Must not know: what was tried.
"""

import logging

from idp.authenticator import Page
from idp.browser import CookiesRefused
from idp.errors import InvalidClient, InvalidToken, ProtocolError, RequestTooLarge, ServerError, new_reference
from idp.flows.checks import UnknownAddressee
from idp.flows.screen import Occasion, show, with_status
from idp.flows.senders import dpop_challenge
from idp.flows.userinfo import InsufficientScope, TokenMissing, TokenSentTwice
from idp.flows.waiting import RequestGone
from idp.http import Answer, Header, Request, json_answer
from idp.pages import translatable
from idp.provider import Provider

log = logging.getLogger(__name__)


class NotFound(ProtocolError):
    """There is nothing at this address."""

    code = "not_found"
    status = 404


class MethodNotAllowed(ProtocolError):
    """The address is right, the method is not."""

    code = "invalid_request"
    status = 405


CHALLENGED = (InvalidClient, InvalidToken, InsufficientScope, TokenSentTwice)

BEGIN_AGAIN = translatable("Ga terug naar de toepassing en begin opnieuw.")

EXPLANATIONS: tuple[tuple[type[ProtocolError], str, tuple[str, ...]], ...] = (
    (
        UnknownAddressee,
        translatable("De toepassing gaf een naam of adres op dat wij niet kennen. Dat is een fout in de toepassing."),
        (BEGIN_AGAIN, translatable("Lukt het nog niet? Meld het dan aan wie de toepassing beheert.")),
    ),
    (
        CookiesRefused,
        translatable("Uw browser bewaart geen cookies van deze site. Zonder cookies kunnen wij u niet aanmelden."),
        (translatable("Sta cookies toe voor deze site en begin opnieuw in de toepassing."),),
    ),
    (
        RequestGone,
        translatable("Deze aanmelding is al afgerond, duurde te lang, of begon in een andere browser."),
        (BEGIN_AGAIN,),
    ),
    (
        RequestTooLarge,
        translatable("De aanvraag is te groot."),
        (BEGIN_AGAIN,),
    ),
    (
        NotFound,
        translatable("Deze pagina bestaat niet, of niet meer."),
        (translatable("Kijk het adres na, of ga naar de startpagina."),),
    ),
    (
        ServerError,
        translatable("Er ging iets mis bij ons. Dat ligt niet aan u."),
        (translatable("Probeer het over enkele minuten opnieuw."),),
    ),
    (
        ProtocolError,
        translatable("De aanvraag klopt niet, en daarom stoppen we hier. Er is niets over u doorgegeven."),
        (BEGIN_AGAIN,),
    ),
)


def as_page(provider: Provider, request: Request, *, error: ProtocolError) -> Answer:
    """The error page."""
    reference = new_reference()
    log_failure(error, reference)
    explanation, advice = next((text, todo) for kind, text, todo in EXPLANATIONS if isinstance(error, kind))
    values = {
        "code": error.code,
        "explanation": explanation,
        "advice": list(advice),
        "reference": reference,
        "at": provider.clock(),
        "back_url": "/" if isinstance(error, NotFound) else "",
    }
    page = Page("flows/error.html", "error", values)
    return with_status(show(provider, request, page=page, occasion=Occasion()), error.status)


def as_json(_provider: Provider, request: Request, *, error: ProtocolError) -> Answer:
    """The error as RFC 6749 §5.2 has it, and RFC 6750 §3 for tokens."""
    log_failure(error, new_reference())
    if isinstance(error, TokenMissing):
        return Answer(401, (challenge(error), ("Cache-Control", "no-store")))
    headers = (challenge(error),) if isinstance(error, CHALLENGED) else ()
    if isinstance(error, InvalidToken) and request.dpop_token():
        headers = (("WWW-Authenticate", dpop_challenge(error)),)
    return json_answer(error.members(), *headers, *error.headers, status=error.status)


def challenge(error: ProtocolError) -> Header:
    """The WWW-Authenticate header that a refused caller is owed (RFC 9110 §11.6.1)."""
    if isinstance(error, InvalidClient):
        return ("WWW-Authenticate", 'Basic realm="toegang", charset="UTF-8"')
    if isinstance(error, TokenMissing):
        return ("WWW-Authenticate", 'Bearer realm="toegang"')
    told = f'error="{error.code}", error_description="{error.description}"'
    return ("WWW-Authenticate", f'Bearer realm="toegang", {told}')


def log_failure(error: ProtocolError, reference: str) -> None:
    """One line in the log; what went wrong, never what was sent."""
    level = logging.ERROR if isinstance(error, ServerError) else logging.INFO
    log.log(level, "refused: reference=%s error=%s detail=%s", reference, error.code, error)
