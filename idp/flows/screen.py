"""A screen: a page of ours with its frame (language, asking application, CSRF), its policy and its cookies.

Promises: every page gets the same frame, made here alone; its policy lets the redirect to the asking client through
and nothing else. Must not know: what any page says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from idp.authenticator import Page
from idp.browser import LANGUAGE_SECONDS, Browser
from idp.clients import Client
from idp.http import Answer, Header, Request, page_answer
from idp.pages import LANGUAGES, Asking, Frame, choose_language
from idp.provider import Provider
from idp.tickets import AuthorizationRequest


@dataclass(frozen=True)
class Occasion:
    """On what occasion a page is shown: the request that waits and its client, if one does; the person's language;

    for a page whose form leads elsewhere without such a request, the address that it leads to; the origins of keys that
    are used elsewhere; what it frames; and the pictures of others that it shows.
    """

    authorization_request: AuthorizationRequest | None = None
    client: Client | None = None
    locale: str = ""
    leads_to: str = ""
    keys_lead_to: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


def show(provider: Provider, request: Request, *, page: Page, occasion: Occasion) -> Answer:
    """The page as an answer with status 200."""
    browser = provider.cookies.browser(request)
    frame = frame_of(provider, request, browser=browser, occasion=occasion)
    html = provider.pages.render(page.template, page.name, values=page.values, frame=frame)
    return page_answer(html, *policy(occasion), *cookies_of(provider, request, browser=browser))


def with_status(answer: Answer, status: int) -> Answer:
    """The same answer with another status."""
    return Answer(status, answer.headers, answer.body)


def frame_of(provider: Provider, request: Request, *, browser: Browser, occasion: Occasion) -> Frame:
    """What every page gets."""
    waiting, settings = occasion.authorization_request, provider.settings
    return Frame(
        language=language_of(provider, request, occasion=occasion),
        path=address_without_language(request),
        csrf=browser.csrf,
        asking=asking(occasion.client),
        simulators=settings.simulators,
        helpdesk=settings.helpdesk,
        now=provider.clock(),
        other_key_url=f"/op/v1/auth/{waiting.id}/login" if waiting and waiting.id else "",
    )


def language_of(provider: Provider, request: Request, *, occasion: Occasion) -> str:
    """The page's language: the application's wish, the person's choice, the browser's, the person's own, Dutch."""
    waiting = occasion.authorization_request
    return choose_language(
        chosen_language(request),
        waiting.ui_locales if waiting else "",
        provider.cookies.read(request, "language"),
        request.headers.get("accept-language", ""),
        occasion.locale,
    )


def chosen_language(request: Request) -> str:
    """The language that the person chose on this page just now; empty if none."""
    if request.method != "GET" or "ui_locales" not in request.query:
        return ""
    # Read leniently: the page that tells of a malformed query is shown in a language too.
    chosen = dict(parse_qsl(request.query, errors="replace")).get("ui_locales", "")
    return chosen if chosen in LANGUAGES else ""


def address_without_language(request: Request) -> str:
    """The page's own address, so that a choice of language leads back to it."""
    kept = [] if request.method == "POST" else [pair for pair in parse_qsl(request.query) if pair[0] != "ui_locales"]
    # One slash and no backslash at the front: `//elsewhere` in a link of ours would lead to another site.
    address = "/" + quote(request.address, encoding="latin-1", errors="replace").lstrip("/")
    return address + ("?" + urlencode(kept) if kept else "")


def asking(client: Client | None) -> Asking | None:
    """The application that asks, as people are told of it."""
    if client is None:
        return None
    return Asking(
        name=client.name,
        owner=client.owner_name,
        logo_uri=client.logo_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
    )


def cookies_of(provider: Provider, request: Request, *, browser: Browser) -> tuple[Header, ...]:
    """The cookies that a page sets: the browser's, if new, and the language, if just chosen."""
    language = chosen_language(request)
    new = [provider.cookies.write("browser", browser.secret)] if browser.is_new else []
    chosen = [provider.cookies.write("language", language, seconds=LANGUAGE_SECONDS)] if language else []
    return (*new, *chosen)


def policy(occasion: Occasion) -> tuple[Header, ...]:
    """The Content-Security-Policy of a page that may lead back to a client; none, where the usual one will do."""
    waiting = occasion.authorization_request
    leads_to = waiting.redirect_uri if waiting else occasion.leads_to
    if occasion.frames:
        return (content_security_policy(frames=origins_of(occasion.frames)),)
    if any(occasion.images):
        return (content_security_policy(images=origins_of(occasion.images)),)
    logo = origin_of(occasion.client.logo_uri) if occasion.client and occasion.client.logo_uri else ""
    if not leads_to and not logo:
        return ()
    return (content_security_policy(form_action=origins_of((leads_to, *occasion.keys_lead_to)), images=logo),)


def content_security_policy(*, form_action: str = "", images: str = "", frames: str = "") -> Header:
    """Nothing inline, nothing from elsewhere, no frame around us; forms and their redirects go where they are told.

    Chromium holds the whole chain of redirects after a form to `form-action`, so the client's origin has to be there.
    """
    directives: Mapping[str, str] = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": f"'self' {images}".strip(),
        "form-action": f"'self' {form_action}".strip(),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    } | ({"frame-src": frames} if frames else {})
    return ("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in directives.items()))


def origins_of(uris: Iterable[str]) -> str:
    """The origins of addresses, each once."""
    return " ".join(dict.fromkeys(origin_of(uri) for uri in uris if uri))


def origin_of(uri: str) -> str:
    """The origin of an address; the scheme alone, for an application's own scheme (RFC 8252 §7.1)."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
