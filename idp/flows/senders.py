"""Sender-constrained tokens: which key a token is bound to when it is given, and whether its sender holds that key.

Promises: a client that is registered for bound tokens never gets one for any bearer; a bound token without its key is
no token (RFC 9700 §2.2.1). Must not know: what a token tells.
"""

from idp.clients import Client
from idp.connections import Connections
from idp.errors import InvalidRequest, InvalidToken, ProtocolError
from idp.flows.presented import Presented
from idp.http import Header, Request
from idp.proofs import PROOF_ALGORITHMS, InvalidProof, NonceNeeded, Proofs
from idp.provider import Provider


class Senders:
    """Binds tokens to keys, and holds their senders to it."""

    def __init__(self, provider: Provider) -> None:
        self._proofs = Proofs(provider)
        self._connections = Connections(provider)

    def confirmation(self, request: Request, client: Client) -> dict[str, str]:
        """The key that the tokens of this request are bound to (RFC 7800 §3); empty if to none."""
        jkt = self._proofs.key_of(request, client=client)
        if client.is_fapi and not jkt:
            return {"x5t#S256": self._certificate(request, client)}
        if client.dpop_bound_access_tokens and not jkt:
            raise InvalidProof("A DPoP proof is needed: the client is registered for bound tokens.")
        cnf = {"jkt": jkt} if jkt else {}
        if client.tls_client_certificate_bound_access_tokens:
            cnf["x5t#S256"] = self._connections.thumbprint(request)
        return cnf

    def _certificate(self, request: Request, client: Client) -> str:
        # Where nothing at all is shown, no proof is invalid: FAPI clients expect invalid_request.
        if client.dpop_bound_access_tokens:
            raise InvalidRequest("A DPoP proof is needed: the client is registered for bound tokens.")
        return self._connections.thumbprint(request)

    def fresh_nonce(self, client: Client) -> tuple[Header, ...]:
        """The header with the nonce of the client's next proof, if it needs one."""
        return self._proofs.fresh_nonce(client)

    def check(self, request: Request, presented: Presented, *, access_token: str) -> None:
        """Whether the sender of a token holds its key; InvalidToken, InvalidProof or NonceNeeded if not."""
        certificate = presented.token.cnf.get("x5t#S256", "")
        if certificate and not self._connections.has_certificate(request, certificate):
            raise InvalidToken("The access token is bound to another certificate.")
        bound_to = presented.token.cnf.get("jkt", "")
        if bool(bound_to) != bool(request.dpop_token()):
            # Also the other way round: a stolen bearer token must not pass by bringing any key at all.
            raise InvalidToken("The access token was sent by another scheme than it was given for.")
        if not bound_to:
            return
        try:
            jkt = self._proofs.key_of(request, client=presented.client, access_token=access_token)
        except (InvalidProof, NonceNeeded) as error:
            raise at_resource(error) from None
        if not jkt:
            raise at_resource(InvalidProof("A DPoP proof is needed with this token."))
        if jkt != bound_to:
            raise InvalidToken("The access token is bound to another key.")


def at_resource(error: ProtocolError) -> ProtocolError:
    """The same failure where a token is used: 401 with a challenge (RFC 9449 §7.1)."""
    error.status = 401
    error.headers = (*error.headers, ("WWW-Authenticate", dpop_challenge(error)))
    return error


def dpop_challenge(error: ProtocolError) -> str:
    """What a sender of bound tokens is told."""
    algorithms = " ".join(PROOF_ALGORITHMS)
    return f'DPoP error="{error.code}", error_description="{error.description}", algs="{algorithms}"'
