"""What a client learns of the person: names, number, contact.

Promises: a claim whose value is unknown is absent, never empty. Must not know: scopes, identities, clients.
"""

from collections.abc import Mapping

from idm.facts import Person

Claims = dict[str, object]


def known(claims: Mapping[str, object]) -> Claims:
    """These claims without those whose value is unknown."""
    return {name: value for name, value in claims.items() if value != ""}


def profile(person: Person) -> Claims:
    """The names and the language."""
    return known(
        {
            "given_name": person.given_name,
            "family_name": person.family_name,
            "name": f"{person.given_name} {person.family_name}".strip(),
            "locale": person.locale,
        }
    )


def national_number(person: Person) -> Claims:
    """The national number, eleven digits."""
    return {"rrn": person.national_number}


def email(person: Person) -> Claims:
    """The person's own address, which nobody here has verified."""
    return {"email": person.email, "email_verified": False} if person.email else {}


def phone(person: Person) -> Claims:
    """The person's own telephone, which nobody here has verified."""
    return {"phone_number": person.phone, "phone_number_verified": False} if person.phone else {}
