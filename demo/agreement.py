"""Whether the entries of a world agree with each other: one function a rule, each giving sentences of what is wrong.

Promises: a sentence names the entry, what is wrong with it and what to do. Must not know: the file, the database.
"""

from collections.abc import Callable, Iterable, Iterator

from demo.entries import GrantEntry, RightEntry, World
from idm.identifiers import IdentifierInvalid, enterprise_number, national_number, ovo_code


def disagreements(world: World) -> list[str]:
    """What is wrong in this world, all of it; empty if nothing is."""
    return [sentence for rule in _RULES for sentence in rule(world)]


def _ids_are_unique(world: World) -> Iterator[str]:
    for list_name, ids in _ids(world).items():
        for id in sorted({id for id in ids if ids.count(id) > 1}):
            yield f"{list_name}: the id {id!r} stands there more than once; give each entry its own."


def _references_exist(world: World) -> Iterator[str]:
    known = _ids(world)
    for place, list_name, id in _references(world):
        if id not in known[list_name]:
            yield f"{place}: {id!r} is not in {list_name}; add it there, or refer to one of the list."


def _numbers_are_right(world: World) -> Iterator[str]:
    for person in world.people:
        yield from _complaint(f"persons: {person.id}: insz", person.national_number, check=_test_number)
    for organisation in world.organisations:
        place = f"organisations: {organisation.id}"
        yield from _complaint(f"{place}: kbo", organisation.kbo, check=enterprise_number)
        yield from _complaint(f"{place}: ovo", organisation.ovo, check=ovo_code)


def _days_are_in_order(world: World) -> Iterator[str]:
    for list_name in ("kbo_functions", "btb_appointments", "work_relations", "grants"):
        for position, entry in enumerate(getattr(world, list_name)):
            if entry.end is not None and entry.end < entry.start:
                yield f"{list_name}[{position}]: end lies before start; change one of them."


def _contexts_fit(world: World) -> Iterator[str]:
    rights = {right.id: right for right in world.rights}
    for position, grant in enumerate(world.grants):
        right = rights.get(grant.right)
        if right is not None and not _has_fitting_contexts(grant, right, rights=rights):
            yield (
                f"grants[{position}] ({grant.right} on {grant.relation}): its contexts do not fit the right, "
                f"which takes {right.context}; choose from the right's own."
            )


def _has_fitting_contexts(grant: GrantEntry, right: RightEntry, *, rights: Iterable[str]) -> bool:
    offered = set(rights) if isinstance(right.contexts, str) else {context.id for context in right.contexts}
    least, most = {"none": (0, 0), "one": (1, 1), "one or more": (1, len(offered))}[right.context]
    return set(grant.contexts) <= offered and least <= len(grant.contexts) <= most


def _clients_are_named(world: World) -> Iterator[str]:
    for position, client in enumerate(world.clients):
        if not isinstance(client.get("client_id"), str):
            yield f"clients[{position}]: client_id is missing; give it a name of its own."


def _ids(world: World) -> dict[str, list[str]]:
    return {
        "persons": [person.id for person in world.people],
        "organisations": [organisation.id for organisation in world.organisations],
        "work_relations": [relation.id for relation in world.work_relations],
        "applications": [application.id for application in world.applications],
        "rights": [right.id for right in world.rights],
        "clients": [str(client.get("client_id")) for client in world.clients],
    }


def _references(world: World) -> Iterator[tuple[str, str, str]]:
    for list_name in ("kbo_functions", "btb_appointments", "work_relations"):
        for position, entry in enumerate(getattr(world, list_name)):
            yield f"{list_name}[{position}]: person", "persons", entry.person
            yield f"{list_name}[{position}]: organisation", "organisations", entry.organisation
    for position, appointment in enumerate(world.btb_appointments):
        yield f"btb_appointments[{position}]: appointed_by", "persons", appointment.appointed_by
    yield from _references_of_applications(world)
    for position, grant in enumerate(world.grants):
        yield f"grants[{position}]: relation", "work_relations", grant.relation
        yield f"grants[{position}]: right", "rights", grant.right


def _references_of_applications(world: World) -> Iterator[tuple[str, str, str]]:
    for application in world.applications:
        yield f"applications: {application.id}: owner", "organisations", application.owner
    for right in world.rights:
        yield f"rights: {right.id}: application", "applications", right.application
        for admitted in right.admitted:
            yield f"rights: {right.id}: admitted", "organisations", admitted
    for client in world.clients:
        for member, list_name in (("application", "applications"), ("organisation", "organisations")):
            if member in client:
                yield f"clients: {client.get('client_id')}: {member}", list_name, client[member]


def _test_number(text: str) -> str:
    return national_number(text, test_numbers=True)


def _complaint(place: str, text: str, *, check: Callable[[str], str]) -> Iterator[str]:
    if not text:
        return
    try:
        is_same = check(text) == text
    except IdentifierInvalid as invalid:
        yield f"{place}: {invalid} Correct the number."
    else:
        if not is_same:
            yield f"{place}: write the number without separators."


_RULES: tuple[Callable[[World], Iterator[str]], ...] = (
    _ids_are_unique,
    _references_exist,
    _numbers_are_right,
    _days_are_in_order,
    _contexts_fit,
    _clients_are_named,
)
