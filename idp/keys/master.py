"""The master key: seals secrets at rest (AES-256-GCM) and makes keyed hashes by which sealed things are found.

Promises: each purpose has a key of its own, so that what was sealed for one purpose opens for no other; several
master keys may stand in the file (newest first), of which the first seals and all open. Must not know: what it seals.
"""

import hmac
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealBroken(Exception):
    """What was to be opened is not ours, was changed, or was sealed for another purpose."""


class MasterKey:
    """Seals, opens and hashes under the master keys that it is handed (each 32 bytes, newest first)."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)
        self._ciphers: dict[str, tuple[AESGCM, ...]] = {}
        self._hash_keys: dict[str, bytes] = {}

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Encrypt for one purpose; the same plain text never gives the same bytes twice."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers_for(purpose)[0].encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt what was sealed for this purpose; SealBroken otherwise."""
        for cipher in self._ciphers_for(purpose):
            try:
                return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
            except InvalidTag:
                continue
        raise SealBroken(purpose)

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        """A hash (64 hex digits) that nobody can compute or guess at without the oldest master key.

        The oldest key is the one used, so that adding a newer key leaves every stored hash findable.
        """
        key = self._hash_keys.get(purpose)
        if key is None:
            key = self._hash_keys[purpose] = derive(self._keys[-1], f"hash {purpose}")
        return hmac.digest(key, value.encode(), "sha256").hex()

    def _ciphers_for(self, purpose: str) -> tuple[AESGCM, ...]:
        if purpose not in self._ciphers:
            self._ciphers[purpose] = tuple(AESGCM(derive(key, f"seal {purpose}")) for key in self._keys)
        return self._ciphers[purpose]


def derive(key: bytes, label: str) -> bytes:
    """A key of 32 bytes for one label (NIST SP 800-108 in counter mode needs one block only: HMAC of the label)."""
    return hmac.new(key, b"\x01" + label.encode(), sha256).digest()


def load_master_key(file: Path) -> MasterKey:
    """The master keys of a file, one in hex a line, newest first; the file is made, readable by its owner only.

    Raises ValueError with a sentence if the file holds something else, or if others can read it.
    """
    if not file.exists():
        make_key_file(file)
    if file.stat().st_mode & 0o077:
        raise ValueError(f"{file} can be read by others: run `chmod 600 {file}`, and think of the keys in it as known.")
    return MasterKey(read_keys(file))


def make_key_file(file: Path) -> None:
    """A new file with one key; whole or not there at all, and never in place of one that another process made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_hex(32) + "\n")
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


def read_keys(file: Path) -> tuple[bytes, ...]:
    """The keys of a master key file; ValueError if a line is not 64 hex digits, or there is none."""
    try:
        keys = tuple(bytes.fromhex(line) for line in file.read_text().split())
    except ValueError:
        keys = ()
    if not keys or any(len(key) != 32 for key in keys):
        raise ValueError(f"{file} must hold one key of 64 hex digits a line.")
    return keys
