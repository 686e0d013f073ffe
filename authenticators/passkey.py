"""The key `passkey`: a credential of WebAuthn that the browser finds by itself, unlocked by who holds the device.

Promises: the signature is over a challenge of this very attempt, for our origin, with the person verified by the
device; a counter that does not grow is told as a copy, and refused. Must not know: how a passkey was enrolled.
"""

import logging
from collections.abc import Mapping

import msgspec
from webauthn import verify_authentication_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.structs import CredentialDeviceType

from authenticators.ceremony import MALFORMED, Answered, Challenges, Refused, encoded, reason_of, rp_id_of
from authenticators.passkeys import Owner, Passkey, Passkeys
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store import Clock, Store

log = logging.getLogger(__name__)

MILLISECONDS = 300_000
# RFC 8176 §2: `hwk` proves a key that cannot leave its device; one that may be backed up is not such a key.
BOUND, SYNCED = ("hwk", "user", "mfa"), ("swk", "user", "mfa")


class PasskeySignIn:
    """The key `passkey`."""

    name = "passkey"
    means = Means("urn:toegang:authmech:passkey", 26)
    methods = SYNCED

    def __init__(self, passkeys: Passkeys, store: Store, *, clock: Clock) -> None:
        self._passkeys = passkeys
        self._challenges = Challenges(store, clock=clock)

    def begin(self, attempt: Attempt) -> Page:
        """Ask for a passkey, whichever this browser has for us."""
        return self._page(attempt)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification:
        """Whose passkey signed the challenge of this attempt; else AuthenticationFailed."""
        try:
            answered = self._challenges.take(attempt.id, answer)
            passkey, owner = self._found(answered)
            verified = verify(answered, passkey, origin=attempt.origin)
            self._use(passkey, verified)
        except Refused as refusal:
            raise AuthenticationFailed(str(refusal), self._page(attempt, wrong=True)) from None
        return Identification(owner.national_number, methods=SYNCED if passkey.is_backup_eligible else BOUND)

    def _found(self, answered: Answered) -> tuple[Passkey, Owner]:
        found = self._passkeys.find(answered.credential_id)
        if found is None:
            raise Refused("nobody's credential")
        # WebAuthn §7.2 step 6: the authenticator says whose it is, since we did not ask for one.
        if answered.member("userHandle") != encoded(found[1].user_handle):
            raise Refused("another person's user handle")
        return found

    def _use(self, passkey: Passkey, verified: VerifiedAuthentication) -> None:
        is_eligible = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        if is_eligible != passkey.is_backup_eligible:  # WebAuthn §7.2 step 20: it never changes
            raise Refused("backup eligibility changed")
        count = verified.new_sign_count
        if not self._passkeys.use(passkey.id, sign_count=count, is_backed_up=verified.credential_backed_up):
            log.warning("passkey cloned: credential=%s counter=%d known=%d", passkey.id[:16], count, passkey.sign_count)
            raise Refused("cloned: the counter did not grow")

    def _page(self, attempt: Attempt, *, wrong: bool = False) -> Page:
        options = {
            "challenge": self._challenges.new(attempt.id),
            "rpId": rp_id_of(attempt.origin),
            "userVerification": "required",
            "allowCredentials": [],
            "timeout": MILLISECONDS,
        }
        values = {"options": msgspec.json.encode(options).decode(), "wrong": wrong}
        return Page("authenticators/passkey.html", "passkey", values)


def verify(answered: Answered, passkey: Passkey, *, origin: str) -> VerifiedAuthentication:
    """What an answer proves of a passkey (WebAuthn §7.2); else Refused. The counter is for the caller to judge."""
    try:
        return verify_authentication_response(
            credential=dict(answered.credential),
            expected_challenge=answered.challenge,
            expected_rp_id=rp_id_of(origin),
            expected_origin=origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except MALFORMED as refusal:
        raise Refused(reason_of(refusal)) from None
