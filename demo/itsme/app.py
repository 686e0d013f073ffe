"""The simulated itsme as an application: protocol and pages, at its own address alone.

Promises: answers only where Host is its own (DNS rebinding); what is nobody's request ends on a page. Must not know:
any rule of the protocol.
"""

from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, abort, redirect, request
from werkzeug import Response

from demo.itsme import provider, screens
from demo.itsme.asking import NobodyAsks
from demo.itsme.pages import Pages, frame_of
from demo.itsme.provider import Itsme
from demo.itsme.screens import Screens

MAXIMUM_BODY = 64 * 1024
HOUSE_PAGES = ("/", "/hulp", "/privacy", "/toegankelijkheid")


def create_itsme(itsme: Itsme, root: Path) -> Flask:
    """The application; `root` is the folder of the project, with its templates, catalogues and drawings."""
    app = Flask(__name__, static_folder=root / "static", static_url_path="/static", template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY
    pages = Pages(root)
    provider.mount(app, itsme)
    screens.mount(app, Screens(itsme, pages))
    mount_house_pages(app, itsme.client.redirect_uri)
    own = own_hosts(itsme.issuer)

    @app.before_request
    def guard() -> None:
        if request.host not in own:
            abort(403)

    @app.errorhandler(NobodyAsks)
    def refused(refusal: NobodyAsks) -> Response:
        return pages.show("itsme-fault", frame_of("nl"), values={"message": str(refusal)}, status=400)

    return app


def mount_house_pages(app: Flask, redirect_uri: str) -> None:
    """The pages to which the frame of each page leads stand at the relying party's."""
    parts = urlsplit(redirect_uri)

    def leave() -> Response:
        return redirect(f"{parts.scheme}://{parts.netloc}{request.path}", 303)

    for path in HOUSE_PAGES:
        app.add_url_rule(path, path, leave)


def own_hosts(issuer: str) -> frozenset[str]:
    """The values of Host under which it is reached: each way to say this machine."""
    port = urlsplit(issuer).port
    return frozenset(f"{host}:{port}" for host in ("localhost", "127.0.0.1"))
