"""The witness: a journal that only votes, and nothing else.

It takes part in elections and in majorities, and keeps the log; it never holds a read lease, gives
snapshots or feeds storage. Everything it does is `trilithon.journal`'s.
"""
