"""Who may connect: trust, or SCRAM-SHA-256 (RFC 5802, RFC 7677) through scramp.

Roles come from whatever implements `Roles`. A user without a verifier goes through the same
conversation with a made-up one, so that nobody learns which names exist.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Final, Protocol

from trilithon.core.errors import SqlError
from trilithon.core.lazy import LazyModule

scramp: Final[Any] = LazyModule("scramp")

MECHANISM: Final = "SCRAM-SHA-256"
MECHANISM_PLUS: Final = "SCRAM-SHA-256-PLUS"
ITERATIONS: Final = 4096
_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """What a server keeps of a password."""

    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int

    @classmethod
    def make(cls, password: str, *, iterations: int = ITERATIONS) -> ScramVerifier:
        salt, stored_key, server_key, count = scramp.ScramMechanism(MECHANISM).make_auth_info(
            password, iteration_count=iterations, salt=secrets.token_bytes(_SALT_BYTES)
        )
        return cls(salt, stored_key, server_key, count)

    @classmethod
    def parse(cls, text: str) -> ScramVerifier:
        """PostgreSQL's form: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey."""
        try:
            scheme, parameters, keys = text.split("$")
            count, salt = parameters.split(":")
            stored, server = keys.split(":")
            if scheme != MECHANISM:
                raise ValueError(scheme)
            return cls(
                base64.b64decode(salt, validate=True),
                base64.b64decode(stored, validate=True),
                base64.b64decode(server, validate=True),
                int(count),
            )
        except ValueError as error:
            raise ValueError("this is no SCRAM-SHA-256 verifier") from error

    def __str__(self) -> str:
        salt, stored, server = (
            base64.b64encode(part).decode()
            for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{MECHANISM}${self.iterations}:{salt}${stored}:{server}"

    def matches(self, password: str) -> bool:
        """Whether this is the password's verifier (for transports that carry the password)."""
        _, stored_key, _, _ = scramp.ScramMechanism(MECHANISM).make_auth_info(
            password, iteration_count=self.iterations, salt=self.salt
        )
        return hmac.compare_digest(stored_key, self.stored_key)


class Roles(Protocol):
    async def verifier(self, user: str) -> ScramVerifier | None:
        """None: there is no such user, or it has no password."""
        ...


@dataclass(frozen=True, slots=True)
class FixedRoles:
    """Verifiers that somebody gave by hand."""

    verifiers: dict[str, ScramVerifier]

    async def verifier(self, user: str) -> ScramVerifier | None:
        return self.verifiers.get(user)


_MOCK_KEY: Final = secrets.token_bytes(32)


def mock_verifier(user: str) -> ScramVerifier:
    """The same made-up salt for the same name, as long as the process lives; no password fits."""
    seed = hmac.new(_MOCK_KEY, user.encode(), hashlib.sha256).digest()
    return ScramVerifier(
        seed[:_SALT_BYTES], secrets.token_bytes(32), secrets.token_bytes(32), ITERATIONS
    )


def wrong_password(user: str) -> SqlError:
    return SqlError("28P01", f'password authentication failed for user "{user}"', severity="FATAL")


class ScramConversation:
    """One login. `first` takes the client's first message and gives the server's; `final` likewise.

    `certificate_pem` is the server's certificate when the connection is encrypted: channel binding.
    """

    def __init__(
        self, mechanism: str, user: str, verifier: ScramVerifier | None, certificate_pem: str = ""
    ) -> None:
        self._user = user
        self._known = verifier is not None
        if mechanism != MECHANISM and not (mechanism == MECHANISM_PLUS and certificate_pem):
            raise SqlError(
                "08P01",
                "client selected an invalid SASL authentication mechanism",
                severity="FATAL",
            )
        chosen = verifier or mock_verifier(user)
        binding: Any = ("tls-server-end-point", certificate_pem) if certificate_pem else None
        answer = (chosen.salt, chosen.stored_key, chosen.server_key, chosen.iterations)
        self._server = scramp.ScramMechanism(mechanism).make_server(
            lambda _name: answer, channel_binding=binding
        )

    def first(self, data: bytes) -> bytes:
        said = _ascii(data)
        try:
            self._server.set_client_first(_with_name(said))
            # The signature covers what the client really said.
            self._server.client_first_bare = said.split(",", 2)[2]
            return str(self._server.get_server_first()).encode()
        except scramp.ScramException as error:
            raise _malformed(error) from None

    def final(self, data: bytes) -> bytes:
        try:
            self._server.set_client_final(_ascii(data))
        except scramp.ScramException as error:
            if error.server_error in (None, scramp.utils.ServerError.INVALID_ENCODING):
                raise _malformed(error) from None
            raise wrong_password(self._user) from None
        if not self._known:
            raise wrong_password(self._user)
        return str(self._server.get_server_final()).encode()


def _with_name(client_first: str) -> str:
    """libpq leaves the user's name out ("n=,r=..."), for the startup packet has it; RFC 5802, and
    scramp, want one."""
    flag, comma, rest = client_first.partition(",")
    authzid, second, bare = rest.partition(",")
    if bare.startswith("n=,"):
        bare = "n=*" + bare[2:]
    return f"{flag}{comma}{authzid}{second}{bare}"


def _ascii(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SqlError("08P01", "malformed SCRAM message", severity="FATAL") from None


def _malformed(error: Exception) -> SqlError:
    return SqlError("08P01", "malformed SCRAM message", detail=str(error), severity="FATAL")
