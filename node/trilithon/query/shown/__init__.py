"""Definitions as PostgreSQL shows them: defaults, checks, index expressions.

`build` makes the *shown tree* of a parse tree and of what analysis noted about it, `writer` makes text of that,
`definitions` does both for what the catalog stores, and falls back to the text as written. Pure.
"""
