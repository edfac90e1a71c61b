"""TLS material for links: PEM bytes, read by the caller."""

from __future__ import annotations

from dataclasses import dataclass

import grpc


@dataclass(frozen=True, slots=True)
class LinkTls:
    """`certificate` and `key` are what this process shows; with `ca` both sides ask for them.

    A client without `certificate` trusts `ca` and shows nothing. Without `ca` a process trusts its
    own (self-signed, shared) certificate. With nothing at all the system's roots are trusted.
    `server_name` overrides the name that a server's certificate must carry.
    """

    certificate: bytes = b""
    key: bytes = b""
    ca: bytes = b""
    server_name: str = ""

    def server_credentials(self) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.ca or None,
            require_client_auth=bool(self.ca),
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca or self.certificate or None,
            private_key=self.key or None,
            certificate_chain=self.certificate or None,
        )
