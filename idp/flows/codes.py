"""What an answered authorization request gives: the code, with all that the person decided.

Promises: pure; the same for a code that travels by the browser and for one that its client fetches itself. Must not
know: where codes are kept.
"""

from idp.flows.interaction import Respond
from idp.sessions import Session
from idp.tickets import CODE_SECONDS, AuthorizationCode, AuthorizationRequest, new_secret


def code_of(waiting: AuthorizationRequest, session: Session, *, step: Respond, now: int) -> AuthorizationCode:
    """The code of a request that is answered now, without an id yet; its Grant has one from here on."""
    return AuthorizationCode(
        id="",
        expires_at=now + CODE_SECONDS,
        grant_id=new_secret(),
        client_id=waiting.client_id,
        redirect_uri=waiting.redirect_uri,
        code_challenge=waiting.code_challenge,
        nonce=waiting.nonce,
        scope=waiting.scope,
        person_id=session.person_id,
        sid=session.sid,
        identity=step.option.value,
        acr=step.authentication.acr,
        level=step.authentication.level,
        methods=step.authentication.methods,
        auth_time=step.authentication.at,
        claims=waiting.claims,
        audience=waiting.audience,
        dpop_jkt=waiting.dpop_jkt,
    )
