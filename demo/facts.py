"""What a world says of persons, organisations and rights, added to IDM entry by entry, those referred to first.

Promises: an entry has the same id in every load, so that it is added once; persons and organisations that IDM knew
before keep theirs. Must not know: the file, clients, keys, passwords.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from demo.entries import RightEntry, World
from idm import model
from idm.loading import Loading

ADMITTED_SINCE = timedelta(days=365)
"""A world does not say since when an organisation is admitted: a year, as long as most of its work relations."""


@dataclass(frozen=True, slots=True)
class LoadedWorld:
    """How many facts were added and how many were there, and the ids in IDM of the world's people and organisations."""

    added: Mapping[str, int]
    present: Mapping[str, int]
    people: Mapping[str, str]
    organisations: Mapping[str, str]

    @property
    def has_changed(self) -> bool:
        """Whether anything was added."""
        return bool(sum(self.added.values()))


def add_facts(world: World, load: Loading) -> LoadedWorld:
    """Add all that the world says and IDM does not know."""
    people = {
        p.id: load.person(
            p.national_number,
            given_name=p.given_name,
            family_name=p.family_name,
            locale=p.locale,
            phone=p.phone,
            email=p.email,
        )
        for p in world.people
    }
    organisations = {
        o.id: load.organisation(
            o.target_group, o.code, name=o.name, kbo=o.kbo, ovo=o.ovo, juridical_form=o.juridical_form
        )
        for o in world.organisations
    }
    _Addition(world, load, people=people, organisations=organisations).run()
    return LoadedWorld(load.added, load.present, people, organisations)


class _Addition:
    """What remains once the ids of people and organisations are known."""

    def __init__(self, world: World, load: Loading, *, people: dict[str, str], organisations: dict[str, str]) -> None:
        self._world = world
        self._load = load
        self._people = people
        self._organisations = organisations

    def run(self) -> None:
        self._add_functions()
        self._add_appointments()
        self._add_relations()
        self._add_applications()
        self._add_rights()
        self._add_grants()

    def _add_functions(self) -> None:
        for f in self._world.kbo_functions:
            self._load.add(
                model.KboFunction(
                    id=_id("kbo_function", f.person, f.organisation, f.code),
                    person_id=self._people[f.person],
                    organisation_id=self._organisations[f.organisation],
                    code=f.code,
                    type=f.type,
                    description=f.description,
                    begin_on=f.start,
                    end_on=f.end,
                )
            )

    def _add_appointments(self) -> None:
        for a in self._world.btb_appointments:
            self._load.add(
                model.BtbAppointment(
                    id=_id("btb_appointment", a.person, a.organisation),
                    person_id=self._people[a.person],
                    organisation_id=self._organisations[a.organisation],
                    appointed_by=self._people[a.appointed_by],
                    begin_on=a.start,
                    end_on=a.end,
                )
            )

    def _add_relations(self) -> None:
        for r in self._world.work_relations:
            self._load.add(
                model.WorkRelation(
                    id=_id("work_relation", r.id),
                    person_id=self._people[r.person],
                    organisation_id=self._organisations[r.organisation],
                    category=r.category,
                    phone=r.phone,
                    email=r.email,
                    begin_on=r.start,
                    end_on=r.end,
                    reason=r.reason,
                )
            )

    def _add_applications(self) -> None:
        for a in self._world.applications:
            self._load.add(
                model.Application(
                    id=a.id,
                    name=a.name,
                    owner_id=self._organisations[a.owner],
                    description=a.description,
                    requires=a.requires,
                )
            )

    def _add_rights(self) -> None:
        for r in self._world.rights:
            self._load.add(_right(r))
            for organisation in r.admitted:
                self._load.add(
                    model.Admission(
                        id=_id("admission", r.id, organisation),
                        right_id=r.id,
                        organisation_id=self._organisations[organisation],
                        begin_on=self._world.today - ADMITTED_SINCE,
                    )
                )

    def _add_grants(self) -> None:
        awaiting = {right.id for right in self._world.rights if right.approval == "grant"}
        seen: Counter[tuple[str, str]] = Counter()
        for g in self._world.grants:
            seen[g.relation, g.right] += 1
            self._load.add(
                model.RightGrant(
                    id=_id("right_grant", g.relation, g.right, str(seen[g.relation, g.right])),
                    work_relation_id=_id("work_relation", g.relation),
                    right_id=g.right,
                    contexts=list(g.contexts),
                    begin_on=g.start,
                    end_on=g.end,
                    approval="waiting" if g.right in awaiting else "none",
                )
            )


def _right(r: RightEntry) -> model.ApplicationRight:
    listed = () if isinstance(r.contexts, str) else r.contexts
    return model.ApplicationRight(
        id=r.id,
        application_id=r.application,
        name=r.name,
        role=r.role,
        context=r.context,
        contexts=[{"id": context.id, "name": context.name} for context in listed],
        contexts_are_rights=isinstance(r.contexts, str),
        target_groups=list(r.target_groups),
        max_days=r.max_days,
        approval=r.approval,
        minimum_acr=r.minimum_acr,
        is_system=r.system,
    )


def _id(*names: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(("toegang", "demo", *names))))
