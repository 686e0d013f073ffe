"""The levels of means: how sure each `acr` makes us, and which means a request asks for.

Promises: an unknown URN has no level and admits nothing. Pure. Must not know: which keys exist (they are handed in).
"""

from collections.abc import Iterable, Mapping

from idp.authenticator import Authenticator, Means

KNOWN_MEANS = (
    Means("urn:be:vlaanderen:authmech:eid", 35),
    Means("urn:be:vlaanderen:authmech:eidashigh", 35),
    Means("urn:be:vlaanderen:authmech:itsme", 27),
    Means("urn:be:vlaanderen:authmech:csamtotp", 26),
    Means("urn:toegang:authmech:passkey", 26),
    Means("urn:be:vlaanderen:authmech:csamsms", 25),
    Means("urn:be:vlaanderen:authmech:eidassubstantial", 25),
    Means("urn:be:vlaanderen:authmech:tlsclient", 19),
    Means("urn:be:vlaanderen:authmech:kerberos", 12),
    Means("urn:toegang:authmech:email", 10),
    Means("urn:be:vlaanderen:authmech:password", 10),
    Means("urn:be:vlaanderen:authmech:csampassword", 5),
    Means("urn:be:vlaanderen:authmech:csamselfreg", 5),
)
"""Applications and rights may name these as a minimum, whether or not a key of that means is installed here."""


class Levels:
    """The level of each acr: those known to all, and those of the keys that are installed."""

    def __init__(self, authenticators: Iterable[Authenticator]) -> None:
        self._keys = tuple(sorted(authenticators, key=lambda key: -key.means.level))
        installed = [key.means for key in self._keys]
        self._levels: Mapping[str, int] = {means.urn: means.level for means in (*KNOWN_MEANS, *installed)}

    def level(self, acr: str) -> int:
        """The level of a minimum; none asked is 0. LookupError for an unknown one: it must never pass as low."""
        return self._levels[acr] if acr else 0

    def is_known(self, acr: str) -> bool:
        """Whether this acr has a level."""
        return acr in self._levels

    def reached(self, level: int) -> frozenset[str]:
        """Every acr that a session of this level satisfies."""
        return frozenset(urn for urn, needed in self._levels.items() if needed <= level)

    def acceptable(self, acr_values: Iterable[str], *, minimum: int) -> frozenset[str]:
        """The acrs asked for that a key here has and that reach the minimum; empty means that the minimum decides."""
        installed = {key.means.urn for key in self._keys if key.means.level >= minimum}
        return frozenset(acr_values) & installed

    def offered(self, acr_values: Iterable[str], *, minimum: int) -> tuple[Authenticator, ...]:
        """The keys to offer, surest first: those asked for, or else all that reach the minimum."""
        acrs = self.acceptable(acr_values, minimum=minimum)
        return tuple(key for key in self._keys if key.means.level >= minimum and (not acrs or key.means.urn in acrs))
