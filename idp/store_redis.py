"""Tickets in Redis: a single server, one found through Sentinel, or a Cluster.

Promises the contract of `idp.store`, also between processes: each verb is one round trip and one key, so that it
is atomic and a Cluster needs no more than one slot. Redis drops keys by its own clock, only to save memory; what
has ended is decided by the clock that is handed in. Must not know: any kind of ticket.
"""

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

import msgspec
from redis import Redis, RedisCluster, exceptions
from redis.cluster import ClusterNode
from redis.commands.core import Script
from redis.sentinel import Sentinel

from idp.store import TOMBSTONE_SECONDS, Absent, AlreadyTaken, Clock, Ticket

T = TypeVar("T", bound=Ticket)
Client = Redis | RedisCluster

# redis-py leaves these two untyped.
cluster_node: Callable[[str, int], ClusterNode] = ClusterNode
sentinel_of: Callable[..., Any] = Sentinel

GRACE_SECONDS = 60
"""How much longer Redis keeps what has ended, so that the handed-in clock may lag behind Redis's own."""

TIMEOUT_SECONDS = 5.0

# Each key is a hash: state, ends_at, grant_id and, of a record, body. Both scripts open with the live state.
READ = """
local state, ends_at, grant_id, body =
  unpack(redis.call('HMGET', KEYS[1], 'state', 'ends_at', 'grant_id', 'body'))
if not state or tonumber(ends_at) <= tonumber(ARGV[1]) then state = 'absent' end
"""
PUT = (
    READ
    + """
if state ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'present', 'ends_at', ARGV[3], 'grant_id', ARGV[4], 'body', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
"""
)
BURY = (
    READ
    + """
if state ~= 'present' then return {state, grant_id} end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'ends_at', ARGV[3])
redis.call('HDEL', KEYS[1], 'body')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {state, body}
"""
)


def connect(url: str) -> Client:
    """The client for `redis://…` (also `rediss`, `unix`), `redis+sentinel://…` or `redis+cluster://…`.

    Several addresses stand with commas between them: `redis+sentinel://host:port,host:port/service/db`.
    """
    scheme, _, rest = url.partition("://")
    protocol, _, kind = scheme.partition("+")
    if not kind:
        return Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
    authority, _, path = rest.partition("/")
    options = _credentials(authority) | {"ssl": protocol == "rediss", "socket_timeout": TIMEOUT_SECONDS}
    if kind == "cluster":
        return RedisCluster(startup_nodes=[cluster_node(*address) for address in _addresses(authority)], **options)
    if kind != "sentinel":
        raise ValueError("a Redis address begins with redis://, redis+sentinel:// or redis+cluster://")
    service, _, number = path.partition("/")
    sentinel = sentinel_of(_addresses(authority), socket_timeout=TIMEOUT_SECONDS)
    master: Redis = sentinel.master_for(service, db=int(number or 0), **options)
    return master


class Lines:
    """The connections to Redis, each used by one thread at a time.

    The way through redis-py's pool costs as much as the trip itself; so lines that are idle are kept here.
    """

    def __init__(self, client: Client) -> None:
        self._library: Callable[..., Any] = client.execute_command
        # A cluster has one for each of its servers, and knows best which.
        self._pool: Any = None if isinstance(client, RedisCluster) else client.connection_pool
        self._idle: deque[Any] = deque()

    def ask(self, *command: object) -> Any:
        """What Redis answers; ResponseError as it says so, ConnectionError where it cannot be reached."""
        if self._pool is None:
            return self._library(*command)
        line = self._idle_or_new(self._pool)
        try:
            line.send_command(*command, check_health=False)
            answer = line.read_response()
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            self._pool.release(line)
            # Lost, or another server leads by now. The library's patient way tries again; asking twice is safe: what
            # was taken or added by a first try is refused to the second.
            return self._library(*command)
        except exceptions.ResponseError:
            self._idle.append(line)
            raise
        self._idle.append(line)
        return answer

    def _idle_or_new(self, pool: Any) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return pool.get_connection()

    def run(self, script: Script, key: bytes, *values: object) -> Any:
        """The answer of a script about one key."""
        try:
            return self.ask("EVALSHA", script.sha, 1, key, *values)
        except exceptions.NoScriptError:
            return self.ask("EVAL", script.script, 1, key, *values)


class Desk:
    """Runs the two scripts, and reads."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._lines = Lines(client)
        self._clock = clock
        self._put = Script(client, PUT)
        self._bury = Script(client, BURY)

    def read(self, key: bytes) -> bytes | None:
        """The body of the record; None if there is none, or it has ended."""
        state, ends_at, body = self._lines.ask("HMGET", key, "state", "ends_at", "body")
        found: bytes | None = body
        return found if state == b"present" and float(ends_at) > self._clock() else None

    def put(self, key: bytes, record: Ticket, *, over: str) -> bool:
        """Keep the record in place of what is `over` (absent or present); False if the key is otherwise."""
        now = self._clock()
        milliseconds = ceil((record.expires_at - now + GRACE_SECONDS) * 1000)
        body = msgspec.json.encode(record)
        values = (now, over, record.expires_at, record.grant_id, body, milliseconds)
        return bool(self._lines.run(self._put, key, *values))

    def bury(self, key: bytes, state: str) -> tuple[str, bytes]:
        """Put a tombstone in place of a record. What was there before: `present` and its body, else its Grant."""
        now = self._clock()
        milliseconds = (TOMBSTONE_SECONDS + GRACE_SECONDS) * 1000
        found = self._lines.run(self._bury, key, now, state, ceil(now) + TOMBSTONE_SECONDS, milliseconds)
        return found[0].decode(), found[1] or b""


class RedisRepository(Generic[T]):
    """The tickets of one kind."""

    def __init__(self, desk: Desk, kind: type[T]) -> None:
        self._desk = desk
        self._kind = kind.__name__
        self._decoder = msgspec.json.Decoder(kind)

    def add(self, record: T) -> bool:
        """Keep a new record. False, and nothing changes, if its id is present or was taken."""
        return self._desk.put(self._key(record.id), record, over="absent")

    def get(self, id: str) -> T | None:
        """The record; None if it is absent, taken, discarded or expired."""
        body = self._desk.read(self._key(id))
        return self._decoder.decode(body) if body else None

    def replace(self, record: T) -> bool:
        """Keep this record in place of the present one of its id. False if there is none."""
        return self._desk.put(self._key(record.id), record, over="present")

    def take(self, id: str) -> T:
        """The record, for one caller only. Raises Absent or AlreadyTaken."""
        state, found = self._desk.bury(self._key(id), "taken")
        if state == "present":
            return self._decoder.decode(found)
        if state == "taken":
            raise AlreadyTaken(found.decode())
        raise Absent

    def discard(self, id: str) -> None:
        """Forget the record, if it is there; a tombstone stays. Never fails."""
        self._desk.bury(self._key(id), "discarded")

    def _key(self, id: str) -> bytes:
        # An id may come from an address: UTF-8 has no half of a surrogate pair.
        return f"toegang:{self._kind}:{id}".encode("unicode_escape")


class RedisStore:
    """A Store (`idp.store`) in Redis."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._client = connect(url)
        self._desk = Desk(self._client, clock)

    def repository(self, kind: type[T]) -> RedisRepository[T]:
        """The repository of one kind of ticket; the kind's class name is its namespace."""
        return RedisRepository(self._desk, kind)

    def close(self) -> None:
        """End the connections."""
        self._client.close()


def _addresses(authority: str) -> list[tuple[str, int]]:
    pairs = (address.rpartition(":") for address in authority.rpartition("@")[2].split(","))
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def _credentials(authority: str) -> dict[str, Any]:
    name, _, secret = authority.rpartition("@")[0].partition(":")
    return {"username": unquote(name) or None, "password": unquote(secret) or None}
