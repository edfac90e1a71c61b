"""`trilithon.v1.Sql`: SQL over gRPC, what the SDK speaks.

One stream carries many sessions; each session is `trilithon.query.session.Session`, with a task of its
own that works its requests off in order. Every request gets exactly one reply; a result that is too
large for one waits for FetchMore, so that a slow client holds up nobody.

Bounds: sessions per stream and in all, requests waiting per session, bytes per reply, status questions
per second.

Not here: what statements mean (`session`, `engine`), streams and their queues (`trilithon.link`).
"""
