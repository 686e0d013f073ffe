"""Adding a passkey: the browser makes one for us, with the person verified, and it is kept under a name.

Promises: it is made for the challenge of this very page, at our origin, discoverable; a credential that anybody has
enrolled already is refused. Must not know: how it is used, or whether the person may add one.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from webauthn import verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.structs import AuthenticatorTransport, CredentialDeviceType
from webauthn.registration.verify_registration_response import VerifiedRegistration

from authenticators.ceremony import (
    LONGEST_CREDENTIAL_ID,
    MALFORMED,
    Answered,
    Challenges,
    Refused,
    encoded,
    reason_of,
    rp_id_of,
)
from authenticators.enrolled import LONGEST_NAME, PASSKEY, spelled
from authenticators.passkey import MILLISECONDS, PasskeySignIn
from authenticators.passkeys import NewPasskey, Passkeys
from idp.authenticator import Applicant, EnrolmentFailed, Page
from idp.store import Clock, Store

ALGORITHMS = (Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256)
SHORTEST_RSA = 2048
TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)


class PasskeyEnrolment:
    """How passkeys are added."""

    kind = PASSKEY

    def __init__(self, passkeys: Passkeys, store: Store, *, clock: Clock) -> None:
        self._passkeys = passkeys
        self._challenges = Challenges(store, clock=clock)

    def needed_level(self, _national_number: str) -> int:
        """As sure as the passkey itself will be: nobody gets further by adding one."""
        return PasskeySignIn.means.level

    def begin(self, applicant: Applicant) -> Page:
        """Ask for a name, and for the device."""
        return self._page(applicant)

    def finish(self, applicant: Applicant, answer: Mapping[str, str]) -> str:
        """Keep the passkey that the browser made; EnrolmentFailed if it is none that we can rely on."""
        try:
            answered = self._challenges.take(applicant.id, answer)
            verified = verify(answered, origin=applicant.origin)
            added = self._passkeys.add(
                applicant.national_number, new_passkey(verified, answered, name=answer.get("name", ""))
            )
        except Refused as refusal:
            raise EnrolmentFailed(str(refusal), self._page(applicant, wrong=True)) from None
        if not added:
            raise EnrolmentFailed("enrolled already, or too many", self._page(applicant, wrong=True))
        return added

    def picture(self, _applicant: Applicant) -> bytes:
        """None."""
        return b""

    def _page(self, applicant: Applicant, *, wrong: bool = False) -> Page:
        known = self._passkeys.of_person(applicant.national_number)
        options = {
            "rp": {"id": rp_id_of(applicant.origin), "name": "Toegang"},
            "user": {
                "id": encoded(self._passkeys.user_handle(applicant.national_number)),
                "name": applicant.name,
                "displayName": applicant.name,
            },
            "challenge": self._challenges.new(applicant.id),
            "pubKeyCredParams": [{"type": "public-key", "alg": algorithm.value} for algorithm in ALGORITHMS],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
            "timeout": MILLISECONDS,
            "excludeCredentials": [
                {"type": "public-key", "id": encoded(one.credential_id), "transports": list(one.transports)}
                for one in known
            ],
        }
        values = {"options": msgspec.json.encode(options).decode(), "wrong": wrong, "longest_name": LONGEST_NAME}
        return Page("authenticators/passkey_enrolment.html", "key-add", values)


def verify(answered: Answered, *, origin: str) -> VerifiedRegistration:
    """What an answer proves of a new passkey (WebAuthn §7.1); Refused if nothing."""
    try:
        verified = verify_registration_response(
            credential=dict(answered.credential),
            expected_challenge=answered.challenge,
            expected_rp_id=rp_id_of(origin),
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        check_key(verified.credential_public_key)
    except MALFORMED as refusal:
        raise Refused(reason_of(refusal)) from None
    if verified.credential_id != answered.credential_id:
        raise Refused("the answer names another credential than the authenticator")
    if len(verified.credential_id) > LONGEST_CREDENTIAL_ID:
        raise Refused("the credential id is too long")
    return verified


def check_key(public_key: bytes) -> None:
    """Whether signatures can be checked with it: nothing was signed yet. Raises one of MALFORMED, or Refused."""
    key = decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST_RSA:
        raise Refused("the RSA key is too short")


def new_passkey(verified: VerifiedRegistration, answered: Answered, *, name: str) -> NewPasskey:
    """What is kept of it."""
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        name=spelled(name),
        sign_count=verified.sign_count,
        transports=transports_of(answered.credential["response"]),
        aaguid=str(verified.aaguid),
        is_backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=verified.credential_backed_up,
    )


def transports_of(response: Mapping[str, Any]) -> tuple[str, ...]:
    """The known ones of the transports that a browser names; nobody signed them, so the others mean nothing."""
    named = response.get("transports")
    found = named if isinstance(named, list) else []
    return tuple(sorted({one for one in found if isinstance(one, str)} & TRANSPORTS))
