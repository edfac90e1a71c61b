"""The link: one long-lived, coalescing, bidirectional stream between each pair of processes.

The number of gRPC messages is what limits Trilithon, so every hop of the hot path is a stream whose
writer sends *everything that is pending as one message* as soon as the last write returned (no
timer), and whose reader resolves the callers by correlation id.

Vocabulary
- *link*, *peer*, *item*: see `trilithon.core.world`, whose Protocols are implemented here.
- *message*: what gRPC carries: any number of items, field 1 of every stream's message.

Modules
- `writer`: the coalescing writer, the one place where items become messages.
- `pending`: callers that wait for replies, and their deadlines.
- `client`, `server`: the two ends over grpc.aio; `network` ties them together.
- `local`: the same Protocols inside one process, without gRPC, for tests of services.
- `specs`: the stream of each service.

Invariants
- Every queue is bounded in items and in bytes; a peer that does not read is disconnected, a caller
  whose queue is full gets `Overloaded` and nothing was sent.
- A link never sends an item twice. What was queued or sent when the stream broke fails with
  `Unavailable`; only requests made while the link was down wait for the next connection.
- Garbage from one peer ends that peer's stream and nobody else's.

Not here: what the items mean, who leads, retries of requests. Nothing but grpc, protobuf and
`trilithon.core` is imported; the health and reflection services are only needed for serving.
"""

from trilithon.link.network import GrpcNetwork
from trilithon.link.tls import LinkTls

__all__ = ["GrpcNetwork", "LinkTls"]
