"""Settings: one frozen object, read once from the environment.

Promises: all faults are reported together, each by the name of its variable and with what to do; the default refuses.
Must not know: who uses a setting.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from idp.destinations import entry_of

Network = IPv4Network | IPv6Network

HOST = re.compile(r"[a-z0-9.-]+(?::[0-9]{1,5})?")
SERVICE_CODE = re.compile(r"[A-Za-z0-9_-]{1,100}")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsInvalid(Exception):
    """Some settings are wrong; the message has a line for each."""


@dataclass(frozen=True)
class Settings:
    """What an operator may set; see docs/operate.md for each."""

    issuer: str = "http://localhost:8000/op"
    database_url: str = "sqlite:///var/toegang.sqlite"
    redis_url: str = ""
    master_key_file: Path = Path("var/master.key")
    simulators: bool = False
    registration: str = "token"
    registration_days: int = 0
    registration_limit: int = 10_000
    unused_days: int = 30
    iss_parameter: bool = True
    dpop_nonce: str = "registered"
    outbound_allow: frozenset[str] = frozenset()
    itsme_issuer: str = ""
    itsme_client_id: str = ""
    itsme_service: str = ""
    itsme_acr: str = "basic"
    trusted_proxies: tuple[Network, ...] = ()
    mtls_ca_file: str = ""
    mtls_host: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    log_level: str = "info"
    helpdesk: str = "1700"
    world_file: Path = Path(__file__).resolve().parent.parent / "demo" / "world.json"
    key_days: int = 90
    session_seconds: int = 8 * 3600
    access_token_seconds: int = 3600
    id_token_seconds: int = 3600
    refresh_token_seconds: int = 30 * 86400

    @property
    def origin(self) -> str:
        """The origin of the issuer, without a slash at its end."""
        return self.issuer.removesuffix("/op")

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin that our endpoints may be called at."""
        return (self.origin, self.mtls_origin) if self.mtls_host else (self.origin,)

    @property
    def mtls_origin(self) -> str:
        """The origin at which clients show a certificate, so that no browser is asked for one (RFC 8705 §5)."""
        return f"https://{self.mtls_host}" if self.mtls_host else self.origin

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us by https: cookies are then Secure and `__Host-`."""
        return self.issuer.startswith("https://")

    def cookie_name(self, purpose: str) -> str:
        """A cookie's name: it carries the port, since browsers share cookies between the ports of a host."""
        prefix = "__Host-" if self.is_https else ""
        return f"{prefix}toegang_{urlsplit(self.issuer).port or self.port}_{purpose}"


class Reader:
    """Reads typed values from an environment and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def text(self, name: str, default: str) -> str:
        """The text as it stands; the default where it is unset or empty."""
        return self._environment.get(name) or default

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        """A whole number of at least one, or of what is least."""
        text = self.text(name, str(default))
        if text.isascii() and text.isdecimal() and least <= int(text) < 10**9:
            return int(text)
        self.faults.append(f"{name} must be a whole number of at least {least}.")
        return default

    def doors(self, name: str) -> frozenset[str]:
        """Hosts, or host:port, lower case, that stand there with commas or spaces between them."""
        entries = frozenset(self.text(name, "").lower().replace(",", " ").split())
        try:
            for entry in entries:
                entry_of(entry)
        except ValueError:
            self.faults.append(f"{name} must hold hosts, or host:port, such as keys.internal.example.be:8443.")
        return entries

    def networks(self, name: str) -> tuple[Network, ...]:
        """Networks or single addresses, with commas or spaces between them."""
        try:
            return tuple(ip_network(text) for text in self.text(name, "").replace(",", " ").split())
        except ValueError:
            self.faults.append(f"{name} must hold networks such as 10.1.0.0/16 or single addresses.")
            return ()

    def choice(self, name: str, default: str, *, among: tuple[str, ...]) -> str:
        """One word of a closed list."""
        word = self.text(name, default)
        if word in among:
            return word
        self.faults.append(f"{name} must be one of: {', '.join(among)}.")
        return default


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; SettingsInvalid names every fault at once."""
    read = Reader(environment)
    port = read.number("TOEGANG_PORT", Settings.port)
    settings = Settings(
        issuer=read.text("TOEGANG_ISSUER", f"http://localhost:{port}/op"),
        database_url=read.text("TOEGANG_DATABASE_URL", Settings.database_url),
        redis_url=read.text("TOEGANG_REDIS_URL", ""),
        master_key_file=Path(read.text("TOEGANG_MASTER_KEY_FILE", str(Settings.master_key_file))),
        simulators=read.choice("TOEGANG_SIMULATORS", "off", among=("on", "off")) == "on",
        registration=read.choice("TOEGANG_REGISTRATION", Settings.registration, among=("open", "token", "off")),
        registration_days=read.number("TOEGANG_REGISTRATION_DAYS", Settings.registration_days, least=0),
        registration_limit=read.number("TOEGANG_REGISTRATION_LIMIT", Settings.registration_limit, least=0),
        unused_days=read.number("TOEGANG_REGISTRATION_UNUSED_DAYS", Settings.unused_days, least=0),
        iss_parameter=read.choice("TOEGANG_ISS_PARAMETER", "advertised", among=("advertised", "off")) == "advertised",
        dpop_nonce=read.choice("TOEGANG_DPOP_NONCE", Settings.dpop_nonce, among=("registered", "always", "never")),
        outbound_allow=read.doors("TOEGANG_OUTBOUND_ALLOW"),
        itsme_issuer=read.text("TOEGANG_ITSME_ISSUER", ""),
        itsme_client_id=read.text("TOEGANG_ITSME_CLIENT_ID", ""),
        itsme_service=read.text("TOEGANG_ITSME_SERVICE", ""),
        itsme_acr=read.choice("TOEGANG_ITSME_ACR", Settings.itsme_acr, among=("basic", "advanced")),
        trusted_proxies=read.networks("TOEGANG_TRUSTED_PROXIES"),
        mtls_ca_file=read.text("TOEGANG_MTLS_CA_FILE", ""),
        mtls_host=read.text("TOEGANG_MTLS_HOST", "").lower(),
        host=read.text("TOEGANG_HOST", Settings.host),
        port=port,
        workers=read.number("TOEGANG_WORKERS", Settings.workers),
        log_level=read.choice("TOEGANG_LOG_LEVEL", Settings.log_level, among=("debug", "info", "warning", "error")),
        helpdesk=read.text("TOEGANG_HELPDESK", Settings.helpdesk),
        world_file=Path(read.text("TOEGANG_WORLD_FILE", str(Settings.world_file))),
        key_days=read.number("TOEGANG_KEY_DAYS", Settings.key_days),
        session_seconds=read.number("TOEGANG_SESSION_SECONDS", Settings.session_seconds),
        access_token_seconds=read.number("TOEGANG_ACCESS_TOKEN_SECONDS", Settings.access_token_seconds),
        id_token_seconds=read.number("TOEGANG_ID_TOKEN_SECONDS", Settings.id_token_seconds),
        refresh_token_seconds=read.number("TOEGANG_REFRESH_TOKEN_SECONDS", Settings.refresh_token_seconds),
    )
    faults = read.faults + faults_of(settings)
    if faults:
        raise SettingsInvalid("\n".join(faults))
    return settings


def faults_of(settings: Settings) -> list[str]:
    """What is wrong between settings: a sentence each, by the name of the variable."""
    return [sentence for is_wrong, sentence in (*rules(settings), *itsme_rules(settings)) if is_wrong]


def rules(settings: Settings) -> tuple[tuple[bool, str], ...]:
    """Every rule between settings: whether it is broken, and the sentence that says so."""
    parts = urlsplit(settings.issuer)
    host = parts.hostname or ""
    is_local = host in LOOPBACK_HOSTS or host.endswith((".localhost", ".test"))
    database_scheme = settings.database_url.partition("://")[0]
    return (
        (
            parts.scheme not in ("http", "https") or not host or parts.path != "/op" or bool(parts.query),
            "TOEGANG_ISSUER must be an address that ends in /op, such as https://toegang.example.be/op.",
        ),
        (
            parts.scheme == "http" and host not in LOOPBACK_HOSTS,
            "TOEGANG_ISSUER must be https, unless its host is this machine (localhost).",
        ),
        (
            database_scheme not in ("sqlite", "postgresql+psycopg"),
            "TOEGANG_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://.",
        ),
        (
            bool(settings.mtls_host) and not HOST.fullmatch(settings.mtls_host),
            "TOEGANG_MTLS_HOST must be a host, with a port if it is not 443, such as mtls.toegang.example.be.",
        ),
        (
            bool(settings.mtls_host or settings.mtls_ca_file) and not settings.trusted_proxies,
            "TOEGANG_TRUSTED_PROXIES must name the proxy that hands on certificates, where TOEGANG_MTLS_* is set.",
        ),
        (
            settings.simulators and not is_local,
            "TOEGANG_SIMULATORS may be on only where the host of TOEGANG_ISSUER is localhost, *.localhost or *.test.",
        ),
        (
            settings.simulators and settings.host not in LOOPBACK_HOSTS,
            "TOEGANG_SIMULATORS may be on only while TOEGANG_HOST is a loopback address such as 127.0.0.1.",
        ),
        (
            settings.simulators and settings.workers > 1,
            "TOEGANG_WORKERS must be 1 while TOEGANG_SIMULATORS is on: the simulators live in one process.",
        ),
    )


def itsme_rules(settings: Settings) -> tuple[tuple[bool, str], ...]:
    """The rules of the settings for itsme: all of them or none, over TLS, and never the real one beside simulators."""
    members = (settings.itsme_issuer, settings.itsme_client_id, settings.itsme_service)
    parts = urlsplit(settings.itsme_issuer)
    is_ours = parts.hostname in LOOPBACK_HOSTS
    schemes = ("https", "http") if is_ours else ("https",)
    return (
        (
            any(members) and not all(members),
            "TOEGANG_ITSME_ISSUER, TOEGANG_ITSME_CLIENT_ID and TOEGANG_ITSME_SERVICE must be set together.",
        ),
        (
            bool(settings.itsme_issuer) and (parts.scheme not in schemes or is_odd_issuer(settings.itsme_issuer)),
            "TOEGANG_ITSME_ISSUER must be an https address, such as https://idp.prd.itsme.services/v2.",
        ),
        (
            bool(settings.itsme_service) and not SERVICE_CODE.fullmatch(settings.itsme_service),
            "TOEGANG_ITSME_SERVICE must be a service code as itsme gave it: letters, digits, _ and -.",
        ),
        (
            settings.simulators and bool(settings.itsme_issuer) and not is_ours,
            "TOEGANG_ITSME_ISSUER must be on this machine while TOEGANG_SIMULATORS is on.",
        ),
    )


def is_odd_issuer(issuer: str) -> bool:
    """Whether an address cannot be an issuer (OpenID Connect Discovery §4.1)."""
    parts = urlsplit(issuer)
    return not parts.hostname or bool(parts.query or parts.fragment) or "@" in parts.netloc or issuer.endswith("/")
