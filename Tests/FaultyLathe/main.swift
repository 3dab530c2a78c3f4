import LatheCommand

/// `lathe` with faults that are asked for by `LATHE_FAULT`; the program itself has none of it.
Lathe.main(faults: { Fault(rank: $0) })
