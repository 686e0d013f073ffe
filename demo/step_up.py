"""How an API asks for a surer or fresher sign-in than the one behind a token (RFC 9470); to copy.

Promises: a token that does not suffice is answered by a challenge, with which its client can go back to the provider.
Must not know: how the token was checked, or anything of the provider but the names of its means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Demand:
    """By which means (`acr`) a person must have signed in, any of these, and how many seconds ago at most.

    Name every means that is as sure as the weakest that you name: the provider takes a surer sign-in for enough, and a
    client that comes back with one must not be sent away again.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    def is_met(self, claims: Mapping[str, Any], *, now: float) -> bool:
        """Whether the sign-in suffices; the claims are those of the JWT, or of the provider's introspection."""
        is_sure = not self.acr_values or claims.get("acr") in self.acr_values
        signed_in_at = claims.get("auth_time")
        # A token that does not say when is as good as an old one.
        is_fresh = self.max_age is None or (isinstance(signed_in_at, int) and now - signed_in_at <= self.max_age)
        return is_sure and is_fresh

    def challenge(self, *, scheme: str = "Bearer") -> str:
        """The WWW-Authenticate header to send with 401; its client asks the provider for just that (RFC 9470 §4)."""
        members = {
            "error": "insufficient_user_authentication",
            "error_description": "A surer or more recent sign-in is needed.",
            "acr_values": " ".join(self.acr_values),
            "max_age": "" if self.max_age is None else str(self.max_age),
        }
        return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in members.items() if value)
