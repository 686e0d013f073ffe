"""Envelopes: what a client registered to be told encrypted is encrypted to a key of its own, after it was signed.

Promises: whoever registered encryption is never told in the clear; without a key of theirs they are told nothing, and
the log says why. Must not know: what is inside.
"""

import logging
from collections.abc import Mapping
from typing import Any

from idp.clients import Client
from idp.errors import InvalidRequest
from idp.keys.encryption import encrypt
from idp.keys.jwt import TokenRejected
from idp.provider import Provider

log = logging.getLogger(__name__)


class NoKeyToEncryptTo(InvalidRequest):
    """The client registered encryption, and has no key that fits."""


def sealed(provider: Provider, client: Client, *, content: str | bytes, answer: str) -> str:
    """The content (a token, or plain JSON as bytes) as the client has it encrypted; as it is, if it has it signed only.

    `answer` is the kind of answer. NoKeyToEncryptTo if there is none.
    """
    alg, enc = client.encryption_of(answer)
    if not alg:
        return content if isinstance(content, str) else content.decode()
    key = key_of(provider, client, answer=answer)
    try:
        return encrypt(content, key, alg=alg, enc=enc)
    except TokenRejected as failure:
        raise missing(client, str(failure)) from None


def key_of(provider: Provider, client: Client, *, answer: str) -> Mapping[str, Any]:
    """The key to encrypt to; NoKeyToEncryptTo if there is none."""
    alg, _ = client.encryption_of(answer)
    key = provider.client_keys.encryption_key(client, alg)
    if key is None:
        raise missing(client, f"no key for {alg}")
    return key


def check_key(provider: Provider, client: Client, *, answer: str) -> None:
    """NoKeyToEncryptTo, if the answer must be encrypted and cannot: asked before anything is used up."""
    if client.encryption_of(answer)[0]:
        key_of(provider, client, answer=answer)


def missing(client: Client, reason: str) -> NoKeyToEncryptTo:
    """The failure, told to the operator too: only the client's owner can mend it."""
    log.warning("cannot encrypt: client=%s reason=%s", client.client_id, reason)
    return NoKeyToEncryptTo("The client's keys have none with use enc that fits its encryption algorithm.")
