"""Scopes, and the claims that each one stands for.

Promises: one table for everybody (release, the `claims` parameter, discovery). A registered scope that is in no table
is an application's own: it stands for the client's role claim. Must not know: persons, or where clients are kept.
"""

from typing import Protocol

CLAIMS: dict[str, tuple[str, ...]] = {
    "openid": ("sub", "acr", "amr", "auth_time"),
    "profile": ("given_name", "family_name", "name", "locale"),
    "rrn": ("rrn",),
    "vo": ("vo_id", "vo_doelgroepcode", "vo_doelgroepnaam", "vo_orgcode", "vo_orgnaam", "vo_email"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "wettelijkvertegenwoordiger": ("wv_orgcode",),
    "vo_ovocode": ("vo_ovocode",),
    "vo_kbonummer": ("vo_kbonummer",),
    "vo_info": ("vo_applicatienaam", "vo_orgcode", "vo_orgnaam"),
    "offline_access": (),
}
"""What each general scope stands for; vo_info is for machines only."""

TARGET_GROUP = "target group"
"""The choice of a recipient whose users choose a target group, not an organisation."""


class Recipient(Protocol):
    """A client, as far as it decides what it learns.

    `role_claim` is the free name of its role claim ("" for none), `role_form` "3d" or "2d", `scopes` those registered,
    `choice` "organisation", "target group" or "none".
    """

    @property
    def role_claim(self) -> str:
        """The name under which it reads roles; empty if it reads none."""
        ...

    @property
    def role_form(self) -> str:
        """How a role is spelled to it: 3d with contexts, 2d without."""
        ...

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that it is registered with."""
        ...

    @property
    def choice(self) -> str:
        """At what level its users choose on whose behalf they act."""
        ...


def is_own_scope(scope: str) -> bool:
    """Whether the scope is an application's own, and so stands for the role claim."""
    return scope not in CLAIMS


def claims_of(scope: str, recipient: Recipient) -> tuple[str, ...]:
    """The names of the claims that the scope stands for with this recipient."""
    if is_own_scope(scope):
        return (recipient.role_claim,) if recipient.role_claim else ()
    return CLAIMS[scope]


def scopes_for(claim: str, recipient: Recipient) -> frozenset[str]:
    """The registered scopes that stand for the claim; none if the recipient may not have it."""
    return frozenset(scope for scope in recipient.scopes if claim in claims_of(scope, recipient))
