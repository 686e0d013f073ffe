"""What a client learns of the identity: target group, organisation, work e-mail, legal representation.

Promises: nothing of an organisation where the choice is a target group or none; legal representation only where it
holds today. Must not know: scopes, persons' names, roles.
"""

from claims.person import Claims, known
from idm.facts import Organisation, Person
from idm.identity import Identity

TARGET_GROUP_NAMES = {
    "BUR": "Burgers",
    "GID": "VO-medewerkers",
    "LB": "Lokale Besturen",
    "OV": "Onderwijs- en vormingsinstellingen",
    "EA": "Economische Actoren",
    "VER": "Feitelijke verenigingen",
}
"""The labels as the Flemish ACM emits them (GID, LB, EA); those of the others are our choice."""


def flemish(person: Person, identity: Identity | None, *, target_group: str) -> Claims:
    """The vo_ claims; `identity` is None where no single organisation was chosen."""
    chosen = of_organisation(identity.organisation) if identity and identity.organisation else {}
    return known(
        {
            "vo_id": person.id,
            "vo_doelgroepcode": target_group,
            "vo_doelgroepnaam": TARGET_GROUP_NAMES.get(target_group, target_group),
            **chosen,
            "vo_email": identity.work_email if identity else "",
        }
    )


def of_organisation(organisation: Organisation) -> Claims:
    """The code and the name of an organisation."""
    return {"vo_orgcode": organisation.code, "vo_orgnaam": organisation.name}


def legal_representative(identity: Identity | None) -> Claims:
    """The enterprise that the person legally represents today, by its KBO number."""
    if identity is None or identity.organisation is None or not identity.is_legal_representative:
        return {}
    return {"wv_orgcode": identity.organisation.kbo or identity.organisation.code}


def ovo_code(identity: Identity | None) -> Claims:
    """The OVO code of the organisation, also where that is its key."""
    if identity is None or identity.organisation is None:
        return {}
    organisation = identity.organisation
    return known({"vo_ovocode": organisation.ovo or (organisation.code if organisation.code.startswith("OVO") else "")})


def kbo_number(identity: Identity | None) -> Claims:
    """The KBO number of the organisation, also where another code is its key."""
    return known({"vo_kbonummer": identity.organisation.kbo}) if identity and identity.organisation else {}
