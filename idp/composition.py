"""The composition: makes everything and hands it in. With `__main__`, `simulation` and `world`, what knows every name.

Promises: what can vary (database, ticket store, digital keys, clock) is decided here from the settings and nowhere
else. Must not know: any rule.
"""

import logging
import os
import time
from functools import cache
from importlib import import_module
from pathlib import Path

from cryptography.x509 import Certificate
from sqlalchemy import MetaData, text
from sqlalchemy.exc import SQLAlchemyError

from authenticators import credentials, itsme
from authenticators.credentials import Credentials
from authenticators.enrolled import EnrolledKeys
from authenticators.passkey import PasskeySignIn
from authenticators.passkey_enrolment import PasskeyEnrolment
from authenticators.passkeys import Passkeys
from authenticators.password import Password, PasswordStep, wrong_passwords
from authenticators.simulators.clock import SimulatedClock
from authenticators.totp import Totp
from authenticators.totp_enrolment import TotpEnrolment
from authenticators.upstream import Upstream
from idm.directory import Directory
from idm.model import METADATA
from idp import store_sql
from idp.app import Application, create_app
from idp.authenticator import Authenticator, Enrolment
from idp.browser import Cookies
from idp.certificates import load_authorities
from idp.client_keys import ClientKeys
from idp.commands import CommandFailed
from idp.database import open_database
from idp.delivery import SENDING_SECONDS, SILENCE_SECONDS, Delivery
from idp.dispatcher import Chore, Dispatcher
from idp.fetching import Fetching
from idp.flows import backchannel_logout, ping
from idp.flows.backchannel_logout import BackchannelLogout
from idp.flows.own_pages import own_client
from idp.flows.ping import Ping
from idp.housekeeping import Housekeeping
from idp.identities import Identities
from idp.keys.keyring import Keyring
from idp.keys.master import load_master_key
from idp.keys.rotation import Rotation
from idp.keys.upstream import UPSTREAM_ALGORITHMS, UpstreamJose
from idp.levels import Levels
from idp.outbound import Outbound
from idp.pages import Pages
from idp.provider import Provider
from idp.records import tables
from idp.records.clients import ClientRecords
from idp.records.consents import ConsentRecords
from idp.records.endings import Endings
from idp.records.grants import GrantRecords
from idp.records.keys import KeyRecords
from idp.records.outbox import OutboxRecords
from idp.records.registration_tokens import RegistrationTokens
from idp.records.sessions import SessionRecords
from idp.routes import Surroundings
from idp.settings import Settings, read_settings
from idp.simulation import Simulation
from idp.store import Clock, Store
from idp.store_sql import SqlStore
from idp.upstream import calls_to

ROOT = Path(__file__).resolve().parent.parent


class House:
    """What every command stands on: settings, clock, master key, database."""

    def __init__(self, settings: Settings, clock: Clock = time.time) -> None:
        self.settings = settings
        self.clock = clock
        self.master_key = load_master_key(settings.master_key_file)
        self.engine = open_database(settings.database_url)
        self.credentials = Credentials(self.engine, self.master_key, clock=clock)
        self.passkeys = Passkeys(self.engine, self.master_key, clock=clock)
        self.clients = ClientRecords(self.engine, clock, own=(own_client(settings),))
        self.registration_tokens = RegistrationTokens(self.engine, clock)
        longest = max(settings.id_token_seconds, settings.access_token_seconds)
        key_records = KeyRecords(self.engine, self.master_key, clock=clock)
        self.keyring = Keyring(key_records, clock, token_seconds=longest)
        upstream_records = KeyRecords(self.engine, self.master_key, clock=clock, table=tables.upstream_key)
        self.upstream_keyring = Keyring(
            upstream_records, clock, token_seconds=itsme.ASSERTION_SECONDS, algorithms=UPSTREAM_ALGORITHMS
        )

    def store(self) -> Store:
        """Where tickets are kept: Redis where it is set, else the database."""
        url = self.settings.redis_url
        return open_redis(url, self.clock) if url else SqlStore(self.engine, self.clock)

    def is_ready(self) -> bool:
        """Whether the database answers."""
        try:
            with self.engine.connect() as connection:
                return bool(connection.scalar(text("SELECT 1")))
        except SQLAlchemyError:
            return False


def open_redis(url: str, clock: Clock) -> Store:
    """The tickets in Redis; its client is not imported where it is not used (a quarter of the start-up time)."""
    store: Store = import_module("idp.store_redis").RedisStore(url, clock)
    return store


def all_metadata() -> list[MetaData]:
    """The tables of the whole house."""
    return [METADATA, store_sql.metadata, tables.metadata, credentials.metadata]


def password_step(house: House, store: Store) -> PasswordStep:
    """The one step of number and password, whose limits hold for all keys that begin with it."""
    return PasswordStep(house.credentials, wrong_passwords(store, house.clock))


def real_keys(house: House, store: Store, *, step: PasswordStep) -> list[Authenticator]:
    """The digital keys that are no one's but ours, and those of others that the operator has set."""
    own = Totp(step, store, clock=house.clock), PasskeySignIn(house.passkeys, store, clock=house.clock), Password(step)
    return [*own, *itsme_keys(house, store)]


def enrolments(house: House, store: Store) -> dict[str, Enrolment]:
    """The keys that people can add by themselves."""
    passkey = PasskeyEnrolment(house.passkeys, store, clock=house.clock)
    totp = TotpEnrolment(house.credentials, store, clock=house.clock)
    return {passkey.kind: passkey, totp.kind: totp}


def itsme_keys(house: House, store: Store) -> list[Authenticator]:
    """The key itsme, where it is set; our keys towards it are made when they are first needed."""
    settings, clock = house.settings, house.clock
    if not settings.itsme_issuer:
        return []
    house.upstream_keyring.make_first()
    registration = itsme.Registration(
        settings.itsme_client_id,
        settings.itsme_service,
        redirect_uri=f"{settings.issuer}/v1/auth/{itsme.Itsme.name}/callback",
        is_advanced=settings.itsme_acr == "advanced",
    )
    calls = calls_to(settings.itsme_issuer, settings.outbound_allow)
    upstream = Upstream(settings.itsme_issuer, calls, jose=UpstreamJose(house.upstream_keyring), clock=clock)
    return [itsme.Itsme(registration, upstream, store=store, clock=clock)]


def make_provider(house: House, store: Store, *, keys: list[Authenticator]) -> Provider:
    """The provider, with everything that it is handed."""
    settings, clock = house.settings, house.clock
    levels = Levels(keys)
    fetching = Fetching(Outbound(settings.outbound_allow), clock)
    directory = Directory(house.engine, house.master_key, test_numbers=settings.simulators)
    return Provider(
        settings=settings,
        clock=clock,
        store=store,
        clients=house.clients,
        sessions=SessionRecords(house.engine, clock),
        grants=GrantRecords(house.engine, clock),
        consents=ConsentRecords(house.engine, clock),
        outbox=OutboxRecords(house.engine, clock),
        endings=Endings(house.engine, clock),
        registration_tokens=house.registration_tokens,
        keyring=house.keyring,
        hasher=house.master_key,
        sealer=house.master_key,
        directory=directory,
        identities=Identities(directory, levels, clock=clock),
        authenticators={key.name: key for key in keys},
        enrolled=EnrolledKeys(house.credentials, house.passkeys),
        enrolments=enrolments(house, store),
        levels=levels,
        fetching=fetching,
        # Of its own: what is delivered beside the requests starves none of them, and is starved by none.
        outbound=Outbound(settings.outbound_allow, timeout=SILENCE_SECONDS, total=SENDING_SECONDS),
        client_keys=ClientKeys(fetching, clock),
        authorities=client_authorities(settings),
        upstream_keyring=house.upstream_keyring,
        cookies=Cookies(settings),
        pages=all_pages(),
        close=house.engine.dispose,
    )


@cache
def all_pages() -> Pages:
    """The pages: the same for every application of a process, and read once."""
    return Pages(ROOT / "templates", ROOT / "translations", static=ROOT / "static")


def client_authorities(settings: Settings) -> tuple[Certificate, ...]:
    """The authorities whose certificates prove clients; CommandFailed if their file cannot be read."""
    if not settings.mtls_ca_file:
        return ()
    try:
        return load_authorities(Path(settings.mtls_ca_file).read_bytes())
    except (OSError, ValueError):
        raise CommandFailed("TOEGANG_MTLS_CA_FILE must be a file of certificates in PEM.") from None


def make_application(settings: Settings) -> Application:
    """The WSGI application of these settings."""
    if settings.simulators:
        return make_simulated_application(settings, SimulatedClock(time.time))
    house = House(settings)
    store = house.store()
    provider = make_provider(house, store, keys=real_keys(house, store, step=password_step(house, store)))
    return create_app(provider, Surroundings(house.is_ready, ROOT / "static"))


def make_simulated_application(settings: Settings, clock: SimulatedClock) -> Application:
    """The application with simulators; CommandFailed where the database holds people who are not invented."""
    house = House(settings, clock)
    store = house.store()
    step = password_step(house, store)
    simulation = Simulation(settings.world_file, store, step=step, clock=clock)
    keys = real_keys(house, store, step=step) + simulation.keys
    provider = make_provider(house, store, keys=keys).with_shortcuts(simulation.shortcuts)
    provider = provider.with_messages(simulation.tell)
    if provider.directory.has_real_number():
        raise CommandFailed("TOEGANG_SIMULATORS is on, but the database holds real national numbers: switch it off.")
    return create_app(provider, Surroundings(house.is_ready, ROOT / "static", simulation.pages))


def application() -> Application:
    """The application of the environment's settings, for each worker of the server."""
    settings = read_settings(os.environ)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    made = make_application(settings)
    Dispatcher(chores(made.provider)).start()
    return made


def chores(provider: Provider) -> tuple[Chore, ...]:
    """What a serving process does beside the requests."""
    senders = {backchannel_logout.KIND: BackchannelLogout(provider).send, ping.KIND: Ping(provider).send}
    settings, clock = provider.settings, provider.clock
    keyrings = [provider.keyring, *([provider.upstream_keyring] if settings.itsme_issuer else [])]
    rotations = [Rotation(keyring, clock, days=settings.key_days).look for keyring in keyrings]
    housekeeping = Housekeeping(provider.endings, provider.clients, settings=settings, clock=clock)
    return Delivery(provider.outbox, senders).deliver_due, *rotations, housekeeping.look
