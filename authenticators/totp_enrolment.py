"""Adding the app with codes (TOTP): a seed as a picture and as text, kept once the app has shown a first code.

Promises: the seed is shown to one session of one browser, lives ten minutes and withstands few guesses; the code that
confirmed it signs nobody in any more. Who has no password sets one here, and needs a surer sign-in for that.
Must not know: how a sign-in is made, or whether the person may add one.
"""

import hmac
import io
from collections.abc import Mapping
from hashlib import sha256

import pyotp
import segno

from authenticators.codes import Tries, read_code
from authenticators.credentials import Credentials
from authenticators.password import LONGEST_PASSWORD, hash_password
from authenticators.totp import STEP_SECONDS, USED_SECONDS, WINDOW, Totp, UsedTimestep
from idp.authenticator import Applicant, EnrolmentFailed, Page
from idp.store import Absent, AlreadyTaken, Clock, Store, Ticket

SEED_SECONDS = 600
TRIES = 5
SHORTEST_PASSWORD = 12
ISSUER = "Toegang"
PASSWORD_LEVEL = 27
"""A password is set after eID or itsme alone: whoever has read somebody's messages must not get one."""


class TotpSeed(Ticket, frozen=True, kw_only=True):
    """A seed that waits for its first code, sealed; its id is the hash of the applicant's."""

    seed: bytes


class TotpEnrolment:
    """How the app is added."""

    kind = Totp.name

    def __init__(self, credentials: Credentials, store: Store, *, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._seeds = store.repository(TotpSeed)
        self._used = store.repository(UsedTimestep)
        self._tries = Tries(store, TRIES, clock=clock, seconds=SEED_SECONDS)

    def needed_level(self, national_number: str) -> int:
        """As sure as the app itself will be; surer for whoever sets a password with it."""
        return Totp.means.level if self._credentials.password_hash(national_number) else PASSWORD_LEVEL

    def begin(self, applicant: Applicant) -> Page:
        """Show the seed, and ask for a first code of it."""
        seed = self._seed(applicant) or self._new_seed(applicant)
        return self._page(applicant, seed=seed)

    def finish(self, applicant: Applicant, answer: Mapping[str, str]) -> str:
        """Keep the seed whose code this is; EnrolmentFailed if it is not, or the password is too short."""
        seed = self._seed(applicant)
        if not seed:
            raise EnrolmentFailed("the seed is gone", self.begin(applicant))
        password = self._password(applicant, answer, seed=seed)
        timestep = self._timestep(applicant, read_code(answer), seed=seed)
        try:
            self._seeds.take(ticket_id(applicant))  # once, whoever is first
        except (Absent, AlreadyTaken):
            raise EnrolmentFailed("added already", self._page(applicant, seed=seed, wrong="code")) from None
        self._keep(applicant, password, seed=seed, timestep=timestep)
        return self.kind

    def picture(self, applicant: Applicant) -> bytes:
        """The seed as a QR code; empty if none waits."""
        seed = self._seed(applicant)
        if not seed:
            return b""
        drawn = io.BytesIO()
        address = pyotp.TOTP(seed).provisioning_uri(name=applicant.name, issuer_name=ISSUER)
        segno.make_qr(address).save(drawn, kind="svg", scale=5, light="#fff", nl=False)
        return drawn.getvalue()

    def _keep(self, applicant: Applicant, password: str, *, seed: str, timestep: int) -> None:
        number, now = applicant.national_number, int(self._clock())
        # The code is on a screen and was typed: whoever saw it must not sign in with it.
        used = f"{self._credentials.person_key(number)}:{timestep}"
        self._used.add(UsedTimestep(id=used, expires_at=now + USED_SECONDS))
        if password:
            self._credentials.enrol_anew(number, "password", secret=hash_password(password))
        self._credentials.enrol_anew(number, self.kind, secret=seed)

    def _timestep(self, applicant: Applicant, code: str, *, seed: str) -> int:
        if not code:
            raise EnrolmentFailed("no code", self._page(applicant, seed=seed, wrong="code"))
        if not self._tries.next(ticket_id(applicant)):
            self._seeds.discard(ticket_id(applicant))
            raise EnrolmentFailed("tries exhausted", self._page(applicant, seed="", wrong="exhausted"))
        now = int(self._clock()) // STEP_SECONDS
        for timestep in (now + offset for offset in WINDOW):
            if hmac.compare_digest(pyotp.TOTP(seed).generate_otp(timestep), code):
                return timestep
        raise EnrolmentFailed("wrong code", self._page(applicant, seed=seed, wrong="code"))

    def _password(self, applicant: Applicant, answer: Mapping[str, str], *, seed: str) -> str:
        if self._credentials.password_hash(applicant.national_number):
            return ""
        password = answer.get("password", "")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise EnrolmentFailed("password too short or too long", self._page(applicant, seed=seed, wrong="password"))
        return password

    def _seed(self, applicant: Applicant) -> str:
        found = self._seeds.get(ticket_id(applicant))
        return self._credentials.open_person(found.seed) if found else ""

    def _new_seed(self, applicant: Applicant) -> str:
        seed = pyotp.random_base32()
        ticket = TotpSeed(
            id=ticket_id(applicant),
            expires_at=int(self._clock()) + SEED_SECONDS,
            seed=self._credentials.seal_person(seed),
        )
        return seed if self._seeds.add(ticket) else ""

    def _page(self, applicant: Applicant, *, seed: str, wrong: str = "") -> Page:
        values = {
            "seed": " ".join(seed[place : place + 4] for place in range(0, len(seed), 4)),
            "sets_password": not self._credentials.password_hash(applicant.national_number),
            "shortest_password": SHORTEST_PASSWORD,
            "wrong": wrong,
        }
        return Page("authenticators/totp_enrolment.html", "key-add", values)


def ticket_id(applicant: Applicant) -> str:
    """The id under which the seed of this page waits."""
    return sha256(b"totp " + applicant.id.encode()).hexdigest()
