"""The simulated person who decides a CIBA request at once, for programs that test an application with nobody present.

Promises: mounted with the simulators only; takes the same steps as a person would, with the surest key that serves, the
first identity and a yes to consent. Must not know: any rule of those steps.
"""

import msgspec

from idp.errors import InvalidRequest
from idp.flows.answered import PolledAnswers
from idp.flows.codes import code_of
from idp.flows.consent import consent_given
from idp.flows.interaction import (
    AskConsent,
    ChooseIdentity,
    Respond,
    consent_mark,
    decide,
    needed_level,
    offered_keys,
)
from idp.flows.login import authentication
from idp.flows.polling import CIBA_GRANT, PolledRequest, Polling
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, json_answer
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import AuthorizationCode, hash_of, new_secret

MOST_STEPS = 5


class AutomatedApproval:
    """`/simulators/ciba?auth_req_id=…&action=allow`, or `deny`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._polling = Polling(provider)
        self._answers = PolledAnswers(provider)

    def answer(self, request: Request) -> Answer:
        """Decide; InvalidRequest for what does not wait, or any other action."""
        sent = request.query_parameters()
        action, found = sent.get("action", ""), self._polling.open(hash_of(sent.get("auth_req_id", "")))
        if found is None or found.grant_type != CIBA_GRANT or action not in ("allow", "deny"):
            raise InvalidRequest("Send the auth_req_id of a request that waits, and action allow or deny.")
        approved = self._approved(found) if action == "allow" else None
        self._answers.decide(found.id, approved)
        return json_answer({"decided": "allow" if approved else "deny"})

    def _approved(self, found: PolledRequest) -> AuthorizationCode | None:
        """What the person's yes gives; None where they may not."""
        waits, session = found.waits, self._session(found)
        for _ in range(MOST_STEPS):
            step = decide(self._waiting.known(waits, session))
            if isinstance(step, Respond):
                return code_of(waits, session, step=step, now=self._provider.now())
            if isinstance(step, ChooseIdentity):
                waits = msgspec.structs.replace(waits, identity=step.options[0].value)
            elif isinstance(step, AskConsent):
                client = self._waiting.client(waits)
                self._provider.consents.allow(consent_given(waits, session, client=client))
                waits = msgspec.structs.replace(waits, consent=consent_mark(session, step.option, face=client.face))
            else:
                break
        return None

    def _session(self, found: PolledRequest) -> Session:
        known = self._waiting.known(found.waits, None)
        keys = offered_keys(known, needed_level(known))
        now = self._provider.now()
        made = Session(
            sid=new_secret(),
            cookie_hash=hash_of(new_secret()),
            person_id=found.person_id,
            browser_id=hash_of(new_secret()),
            authentications=tuple(authentication(key, at=now) for key in keys),
            created_at=now,
            expires_at=now + self._provider.settings.session_seconds,
        )
        self._provider.sessions.add(made)
        return made
