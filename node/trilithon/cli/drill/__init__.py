"""Failure drills: a fault in a cluster of real processes under a real load, and what it did to it.

    trilithon drill            the list
    trilithon drill NAME       one drill, with its timeline and its verdicts

| module | what it is |
|---|---|
| `outcome` | what a drill observed: samples, marks, strikes, errors |
| `stage` | what a fault has at hand, and `Drill`, one entry of the list |
| `process_faults`, `network_faults`, ... | the drills: one function and one entry each |
| `catalog` | all of them |
| `load` | the clients in every Region |
| `run` | one drill: a fresh cluster, the load, the fault, the checks |
| `report` | for people: terminal, picture |

Vocabulary
- A drill's *fault* is a function that harms the cluster once and heals it again, marking the timeline.
- A *strike* is one run of it: when it harmed, healed, and when all was ready again.
- A Region's *pause* is its longest time without an acknowledged commit (or a read) in some stretch.

To add a drill: write its fault, add a `Drill` to its module's `DRILLS` (a new module goes into `catalog`).
"""
