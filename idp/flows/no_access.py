"""No access: why a person cannot go on, who could help, and the ways out.

Promises: says why in plain words; names administrators only of organisations for which the person works today, to
everybody else only where help is (names are data); the reason stands in the log under the reference on the page.
Must not know: how rights are decided.
"""

import logging

from idm.days import day_of
from idm.entitlements import Missing, authorities
from idm.facts import Person
from idp.authenticator import Page
from idp.errors import new_reference
from idp.flows.interaction import Refuse, decide
from idp.flows.login import full_name
from idp.flows.screen import show, with_status
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other
from idp.provider import Provider
from idp.tickets import AuthorizationRequest

log = logging.getLogger(__name__)

NO_KEY = "no_key_reaches"


class NoAccess:
    """The page, for a request that waits."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)

    def show(self, request: Request) -> Answer:
        """Say why, with status 403; back to the resume if the person may go on after all."""
        waiting = self._waiting.find(request)
        session = self._waiting.session(request)
        step = decide(self._waiting.known(waiting, session))
        person = self._provider.directory.person(session.person_id) if session else None
        if person is None or not isinstance(step, Refuse):
            return see_other(f"/op/v1/auth/{waiting.id}")
        reference = new_reference()
        reasons = self._reasons(step)
        log.info(
            "no access: reference=%s person=%s client=%s reasons=%s",
            reference,
            person.id,
            waiting.client_id,
            ",".join(str(reason["reason"]) for reason in reasons),
        )
        values = self._values(waiting, person) | {"reasons": reasons, "reference": reference}
        occasion = self._waiting.occasion(waiting, person.locale)
        page = Page("flows/no_access.html", "no-access", values)
        return with_status(show(self._provider, request, page=page, occasion=occasion), 403)

    def _values(self, waiting: AuthorizationRequest, person: Person) -> dict[str, object]:
        today = day_of(self._provider.clock())
        facts = self._provider.directory.facts(person.id, self._waiting.client(waiting).application)
        works_for = [relation.organisation.id for relation in facts.relations_on(today)]
        return {
            "person_name": full_name(person),
            "administrators": [
                {"name": one.name, "email": one.email, "organisation": one.organisation_name}
                for one in self._provider.directory.administrators(works_for, today)
            ],
            "own_authority": [one.organisation.name for one in authorities(facts, today) if one.organisation],
            "try_other_url": f"/op/v1/auth/{waiting.id}/login",
            "other_key_url": f"/op/v1/auth/{waiting.id}/login",
            "back_url": f"/op/v1/auth/{waiting.id}/cancel",
        }

    def _reasons(self, step: Refuse) -> list[dict[str, object]]:
        if step.no_key:
            return [self._reason(NO_KEY, level=step.level)]
        return [self._missing(missing) for missing in step.missing]

    def _missing(self, missing: Missing) -> dict[str, object]:
        levels = self._provider.levels
        level = levels.level(missing.minimum_acr) if missing.minimum_acr and levels.is_known(missing.minimum_acr) else 0
        organisation = missing.organisation.name if missing.organisation else ""
        told = {"organisation": organisation, "right": missing.right_name, "on": missing.on}
        return self._reason(str(missing.reason), level=level) | told

    def _reason(self, reason: str, *, level: int) -> dict[str, object]:
        keys = [key.name for key in self._provider.levels.offered((), minimum=level)] if level else []
        return {
            "reason": reason,
            "organisation": "",
            "right": "",
            "on": None,
            "minimum_level": level or None,
            "keys": keys,
        }
