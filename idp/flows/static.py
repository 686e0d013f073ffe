"""Static files: read once at start, served from memory; their addresses carry a version, so browsers keep them.

Promises: serves what was there at start and nothing else. Must not know: any page.
"""

import mimetypes
from pathlib import Path

from idp.errors import ProtocolError
from idp.http import Answer, Request

KINDS = {".svg": "image/svg+xml", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class FileMissing(ProtocolError):
    """There is no such file."""

    code = "not_found"
    status = 404


class StaticFiles:
    """`/static/…`: only what was there at start, so that no path can lead elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): Answer(200, headers_of(file), file.read_bytes())
            for file in folder.rglob("*")
            if file.is_file()
        }

    def answer(self, request: Request) -> Answer:
        """The file of this name; FileMissing if there is none."""
        found = self._files.get(request.path["name"])
        if found is None:
            raise FileMissing("There is no such file.")
        return found


def headers_of(file: Path) -> tuple[tuple[str, str], ...]:
    """Its type, and how long it may be kept."""
    kind = KINDS.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return (("Content-Type", kind), ("Cache-Control", "public, max-age=31536000, immutable"))
