"""How the small servers of the demo treat a request: they leave it out of the log.

Promises: what stands in an address (codes, states, telephone numbers) is written nowhere. Must not know: who serves.
"""

from werkzeug.serving import WSGIRequestHandler


class QuietRequests(WSGIRequestHandler):
    """Leaves requests out of the log: their addresses hold codes."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""
