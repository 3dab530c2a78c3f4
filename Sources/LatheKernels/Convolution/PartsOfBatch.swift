/// Weights of at most so many elements are repeated for parts of the batch.
let maximumRepeatedWeights = 1 << 14

/// At most so many parts of a batch.
private let maximumParts = 8

/// Sums of `size` floats over the tiles: each part of the batch has its own, then they are added in
/// order.
func sumOverParts(
  of tiles: ImageTiles, size: Int,
  _ add: (_ images: Range<Int>, _ sum: MutableFloats, _ begun: Bool) -> Void
) -> Floats {
  let parts = min(maximumParts, tiles.count)
  let sums = Scratch.partials.floats(max(1, parts) * size)
  if parts == 0 { fill(sums, with: 0, count: size) }
  Workers.forEach(parts) { part, _ in
    let first = part * tiles.count / parts
    for tile in first..<(part + 1) * tiles.count / parts {
      add(tiles[tile], sums + part * size, tile > first)
    }
  }
  for part in 1..<max(1, parts) { accumulate(sums + part * size, into: sums, count: size) }
  return Floats(sums)
}

func matrix(_ start: Floats, columns: Int) -> Operand {
  Operand(start: start, transposed: false, columns: columns)
}

func transposed(_ start: Floats, columns: Int) -> Operand {
  Operand(start: start, transposed: true, columns: columns)
}
