"""From SQL text to PostgreSQL's own parse nodes.

Vocabulary
- A *node* is libpg_query's JSON as Python dicts: `{"SelectStmt": {...}}`; default values (0, false,
  empty) are left out, locations count bytes of the text.
- A *statement* is one node with its text and its kind.
- A statement's *shape* is its text without its literals; *lifted* literals travel as parameters, so
  that drivers which inline literals share one plan.

Invariants: a literal is lifted only where its meaning cannot change the plan's correctness; when in
doubt it stays. Nothing here knows names or types: that is `analyse`.
"""

from trilithon.query.parse.parser import Parser
from trilithon.query.parse.statement import Node, Statement, kind_of

__all__ = ["Node", "Parser", "Statement", "kind_of"]
