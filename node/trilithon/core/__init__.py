"""The vocabulary that every process shares: CSNs, ids, invariants, and the world outside a process.

Nothing here does I/O. `world` says what a service may ask of its surroundings (clocks, links,
randomness), so that the same service runs on gRPC and in the deterministic simulation.
"""
