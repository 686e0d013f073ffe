"""The keys that sign and decrypt, as an operator lists and rotates them on the command line.

Promises: shows names and times, never a key. Must not know: where keys are kept.
"""

from datetime import UTC, datetime

from idp.commands import Asked, CommandFailed
from idp.keys.encryption import KEY_KINDS
from idp.keys.keyring import Keyring


def run_keys_command(asked: Asked, keyring: Keyring) -> str:
    """Run `keys list|rotate`; what it prints, or CommandFailed."""
    if asked.command == "keys list":
        return "\n".join(line_of(key.kid, key.alg, active_at=key.active_at) for key in keyring.published())
    if asked.alg not in keyring.algorithms:
        raise CommandFailed(f"alg must be one of {', '.join(keyring.algorithms)}.")
    key = keyring.rotate(asked.alg)
    return "announced " + line_of(key.kid, key.alg, active_at=key.active_at)


def line_of(kid: str, alg: str, *, active_at: int) -> str:
    """A key on a line: name, algorithm, and from when it signs or decrypts."""
    serves = "decrypts" if alg in KEY_KINDS else "signs"
    return f"{kid}  {alg}  {serves} from {datetime.fromtimestamp(active_at, UTC).isoformat()}"
