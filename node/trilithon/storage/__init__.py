"""Storage: multi-version reads at a snapshot, over what the Region's journal has settled.

Vocabulary
- *feed*: what the journal pushes: entries as they are synced, cuts, and how far the log is settled.
- *position*: the newest csn that the feed has brought, settled or not.
- *settled*: the newest csn that is settled *and* has been received; nothing at or below it changes.
- *memory table*: versions received and not yet in LMDB, unsettled ones included.
- *applied*: the newest csn whose writes are in LMDB, synced. Recovery subscribes after it.
- *collected*: snapshots below this csn are refused, their versions may be gone.
- *slot*: keys are spread over 1,024 hash slots (`trilithon.types.keys.key_slot`); a storage process
  keeps the writes of its own slots and follows the whole log.

Modules
- `versions` (pure): the memory table. `waiting` (pure): reads that cannot be answered yet.
  `horizon` (pure): how old is old enough. `machine` (pure): the feed's state around them.
- `walk`: visible versions of a key range, LMDB and memory table merged. `jobs`: one read each,
  resumable, so that a long one never holds the event loop. `programs`: pushed-down filters.
- `engine`: the LMDB environment. `apply`: the loop that empties the memory table into it.
- `copying`, `rebuild`: hot copies from other Regions' storage, the source's side and the target's.
- `feed`: the link to a journal. `checksum`, `service`, `role`: as they say.

Invariants
- Only settled entries are applied, in csn order, in one synced LMDB transaction together with the
  applied csn: a kill at any instant, of the process or the machine, leaves a prefix of the log.
- While a hot copy is being written nothing else is applied, and nothing is read: the position is 0.
- A read at snapshot S answers only while position >= S, and never from an unsettled entry.
- LMDB read transactions live inside one synchronous step on the event loop, never across an await:
  the memory table may let go of what LMDB has as soon as the step is over.
- No key is a proper prefix of another key (`trilithon.types.keys` encodes so): the order of
  key + version is then the order of keys.
- A value is never empty; in LMDB an empty value is a tombstone.

Not here: who may read what when (the journal gives snapshots), SQL, routing (`trilithon.query.reads`).
"""
