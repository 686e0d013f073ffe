"""The flows that are measured, and how each subject is asked for them.

Promises: one list, in the order of the report. Must not know: how a subject is started, or how load is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CARD = {"key": "eid", "card": "89661799748", "pin": "1234"}
PASSWORD = {"key": "password", "username": "89661799748", "password": "Welkom-demo-1"}
"""Dirk of the demo world, who has both keys."""


@dataclass(frozen=True)
class Flow:
    """A flow: `scenario` of the load generator, and what a person fills in where it has people sign in.

    `peer_params` go with the peer's authorization request; `remark` says where the two do not do the same.
    """

    name: str
    scenario: str
    answers: Mapping[str, str] = field(default_factory=lambda: CARD)
    peer_params: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


FLOWS = (
    Flow("discovery", "discovery"),
    Flow("keys", "jwks"),
    Flow("client_credentials", "client_credentials"),
    Flow("client_credentials_jwt", "client_credentials_jwt"),
    Flow("silent_sign_on", "sso"),
    Flow("userinfo", "userinfo"),
    Flow("introspection", "introspection"),
    Flow("refresh", "refresh"),
    Flow("sign_in_password", "login", answers=PASSWORD, peer_params={"login_hint": "password"}),
    Flow("sign_in_eid", "login", remark="the peer has no digital key: it signs in by itself, without a page"),
)
BY_NAME = {flow.name: flow for flow in FLOWS}
