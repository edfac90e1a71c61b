"""The chassis: what every process is before it is a journal, a storage or a query processor.

- `config`: the cluster's configuration as data; `load`: reading and checking it; `render`: making
  the one that `trilithon up` uses, and writing it.
- `clock`, `logs`, `metrics`: clocks, structured logs, the Prometheus endpoint.
- `main`: `python -m trilithon.chassis.main --config FILE --process NAME` runs one role.
- `proxy`: delays and cuts links between Regions, for distance and for drills.

A role gets its configuration and a `World` and never imports gRPC; the chassis imports the role.

Not here: supervision of several processes (`trilithon.cli`).
"""
