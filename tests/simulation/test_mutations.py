"""The checkers notice when a rule is switched off: proofs.py says by what.

Some always; all of them with TRILITHON_ALL_RULES=1 (`make prove`).
"""

from __future__ import annotations

import os

import pytest
from mutations import RULES
from observer import Violation
from proofs import PROOFS, Proof
from scenario import StageFailed

ALL = bool(os.environ.get("TRILITHON_ALL_RULES"))
# What a mistake in a broken rule would look like.
_MISTAKES = (TypeError, AttributeError, NameError, KeyError, UnboundLocalError)

pytestmark = pytest.mark.timeout(1_200)


def first_violation(proof: Proof) -> str:
    """What the first seed says that breaks, empty when all hold."""
    for seed in range(1, proof.seeds + 1):
        try:
            proof.run(seed)
        except StageFailed:
            continue
        except Violation as violation:
            assert not isinstance(violation.__cause__, _MISTAKES), "the mutation itself is broken"
            if "not within" not in str(violation) or proof.stuck:
                return f"seed {seed}: {violation}"
    return ""


@pytest.mark.parametrize(
    "name", [name for name, proof in PROOFS.items() if ALL or proof.always or proof.play]
)
def test_a_rule_that_is_switched_off_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = PROOFS[name]
    for rule in (name, *proof.behind):
        RULES[rule](monkeypatch.setattr)
    found = first_violation(proof)
    print(f"{name}: {found}")
    assert found, f"{proof.seeds} seeds without the rule {name}, and nothing was noticed"


@pytest.mark.parametrize("name", [name for name in PROOFS if PROOFS[name].behind])
def test_what_stands_before_a_rule_covers_for_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = PROOFS[name]
    for rule in proof.behind:
        RULES[rule](monkeypatch.setattr)
    assert not first_violation(Proof(3, proof.play)), (
        "then the rule is not what makes the difference"
    )


def test_every_rule_has_a_proof() -> None:
    assert sorted(PROOFS) == sorted(RULES)
