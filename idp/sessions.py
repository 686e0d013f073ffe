"""The signed-in browser: which means were used and when, what was chosen for which application.

Promises: a Session is a frozen value; every change gives a new one. Must not know: where sessions are kept, cookies,
or what a request asks for.
"""

import msgspec

MOST_CLIENTS = 100
"""More applications than anybody visits in one session: each visit is written and read with it from then on."""


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in with one key: which, how sure, and when (seconds since the epoch)."""

    key: str
    acr: str
    level: int
    methods: tuple[str, ...]
    at: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one browser. `sid` is told to clients, the cookie's value to nobody: we keep its hash.

    `browser_id` is the hash of the cookie that forms are bound to: a sign-in whose session cookie was just renewed in
    another tab is still known to come from this browser. `identities` holds, by client, the value of the identity
    chosen last (`EA:0999910147`); `clients` those that received a token. `browser_state` is what the cookie for
    session management holds. `version` counts the changes, so that two at
    once do not lose one.
    """

    sid: str
    cookie_hash: str
    person_id: str
    browser_id: str
    authentications: tuple[Authentication, ...]
    created_at: int
    expires_at: int
    identities: dict[str, str] = {}
    clients: tuple[str, ...] = ()
    browser_state: str = ""
    version: int = 0

    def with_authentication(self, new: Authentication) -> "Session":
        """The session after a further sign-in of the same person; the newest of each key is kept."""
        others = tuple(known for known in self.authentications if known.key != new.key)
        return msgspec.structs.replace(self, authentications=(*others, new))

    def with_cookie(self, cookie_hash: str) -> "Session":
        """The session under a new cookie: the old one is worth nothing any more."""
        return msgspec.structs.replace(self, cookie_hash=cookie_hash)

    def with_identity(self, client_id: str, value: str) -> "Session":
        """The session after a choice of identity for one client; of too many, the oldest choice is forgotten."""
        others = [(client, chosen) for client, chosen in self.identities.items() if client != client_id]
        kept = dict(others[-MOST_CLIENTS + 1 :])
        return msgspec.structs.replace(self, identities=kept | {client_id: value})

    def without_identity(self, client_id: str) -> "Session":
        """The session after `switch`: this client's choice is forgotten."""
        kept = {client: value for client, value in self.identities.items() if client != client_id}
        return msgspec.structs.replace(self, identities=kept)

    def with_client(self, client_id: str) -> "Session":
        """The session after a client received a code; the same object if it did so before.

        Of too many, the one that was the first is forgotten, and will not hear of the end.
        """
        if client_id in self.clients:
            return self
        return msgspec.structs.replace(self, clients=(*self.clients, client_id)[-MOST_CLIENTS:])

    def strongest(self, *, acrs: frozenset[str], level: int, since: float) -> Authentication | None:
        """The surest sign-in made at `since` or later that is one of `acrs` or reaches `level`; None if none does."""
        enough = [
            used for used in self.authentications if used.at >= since and (used.acr in acrs or used.level >= level)
        ]
        return max(enough, key=lambda used: (used.level, used.at), default=None)
