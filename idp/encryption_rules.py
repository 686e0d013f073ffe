"""The rules on what a client has encrypted: the algorithms that it may name, and that there is a key to encrypt to.

Promises: a sentence for each fault, by the name of its member. Must not know: where clients are kept, or who registers
one.
"""

from idp.clients import ENCRYPTED_ANSWERS, SIGNING_ALGORITHMS, Client
from idp.keys.encryption import CONTENT_ALGORITHMS, ENCRYPTION_ALGORITHMS, key_for

Rules = tuple[tuple[bool, str], ...]


def encryption_rules(client: Client) -> Rules:
    """Every rule on encryption: whether it is broken, and the sentence that says so."""
    signs_userinfo = client.userinfo_signed_response_alg
    enc = client.request_object_encryption_enc
    return (
        (
            signs_userinfo not in ("", *SIGNING_ALGORITHMS),
            f"userinfo_signed_response_alg is one of {SIGNING_ALGORITHMS}.",
        ),
        *algorithm_rules("request_object_encryption", client.request_object_encryption_alg, enc=enc),
        *(rule for answer in ENCRYPTED_ANSWERS for rule in answer_rules(client, answer)),
    )


def answer_rules(client: Client, answer: str) -> Rules:
    """The rules on one kind of answer."""
    alg, enc = (getattr(client, f"{answer}_encrypted_response_{part}") for part in ("alg", "enc"))
    member, keys = f"{answer}_encrypted_response", (client.jwks or {}).get("keys", [])
    return (
        *algorithm_rules(member, alg, enc=enc),
        (bool(alg) and not client.has_keys, f"{member}_alg needs jwks or jwks_uri."),
        (
            bool(alg and client.jwks) and key_for(keys, alg) is None,
            f"{member}_alg: jwks has no key with use enc for it.",
        ),
    )


def algorithm_rules(member: str, alg: str, *, enc: str) -> Rules:
    """The rules on a pair of algorithms."""
    return (
        (alg not in ("", *ENCRYPTION_ALGORITHMS), f"{member}_alg is one of {ENCRYPTION_ALGORITHMS}."),
        (enc not in ("", *CONTENT_ALGORITHMS), f"{member}_enc is one of {CONTENT_ALGORITHMS}."),
        (bool(enc) and not alg, f"{member}_enc needs {member}_alg."),
    )
