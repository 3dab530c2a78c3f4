import LatheDistributed
import Glibc

/// `slices count transport`, as on the command line. In place of a transport there may be the host
/// of each rank, as `0,1,1,2`: several hosts on this one. `0,0,1,1/1` is the same with no room for
/// shared memory on host 1.
struct TreeArguments {
  let slices, count: Int
  let transport: Transport
  private let hosts: ((Int) -> Int)?
  private let hostWithoutRoom: Int?

  init(_ arguments: ArraySlice<String>) throws {
    let words = Array(arguments)
    guard words.count == 3, let slices = Int(words[0]), let count = Int(words[1]) else {
      throw CheckFailure(description: "expected: slices count transport, found \(words)")
    }
    (self.slices, self.count) = (slices, count)
    let parts = words[2].split(separator: "/")
    let numbers = parts[0].split(separator: ",").compactMap { Int($0) }
    hostWithoutRoom = parts.count == 2 ? Int(parts[1]) : nil
    transport = Transport(rawValue: words[2]) ?? .automatic
    hosts = numbers.isEmpty ? nil : { numbers[$0] }
  }

  func reduction(_ world: Communicator, wire: Wire = .float32) throws -> TreeReduction {
    let isCramped = hostWithoutRoom != nil && hosts?(world.rank) == hostWithoutRoom
    return try TreeReduction(
      world, slices: slices, count: count, wire: wire, transport: transport,
      sharedMemoryLimit: isCramped ? 0 : .max, hosts: hosts)
  }

  /// How often each element is taken, once in each group of ranks that share memory.
  func copies(_ world: Communicator) -> Int {
    guard let hosts else { return transport == .sharedMemory ? 1 : world.size }
    return (0..<world.size).count {
      $0 == 0 || hosts($0) != hosts($0 - 1) || hosts($0) == hostWithoutRoom
    }
  }
}

/// A vector element that any rank can compute: signs and magnitudes vary so that almost every
/// addition rounds.
func element(slice: Int, index: Int, round: Int) -> Float {
  var bits = UInt64(slice) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(index) &* 0xC2B2_AE3D_27D4_EB4F
  bits = (bits ^ UInt64(round) &* 0x1656_67B1_9E37_79F9) &* 0xFF51_AFD7_ED55_8CCD
  bits = (bits ^ bits >> 32) &* 0xC4CE_B9FE_1A85_EC53
  bits ^= bits >> 29
  let mantissa = Float(Int32(truncatingIfNeeded: bits)) / 2_147_483_648
  return mantissa * Float(1 << (bits >> 56 & 7))
}

/// The sum by the definition of the tree, level by level: nothing is shared with `SliceTree`.
func treeSum(slices: Int, _ value: (Int) -> Float) -> Float {
  var level = (0..<slices).map(value)
  while level.count > 1 {
    level = stride(from: 0, to: level.count, by: 2).map {
      $0 + 1 < level.count ? level[$0] + level[$0 + 1] : level[$0]
    }
  }
  return level[0]
}

/// FNV-1a over the bits of the values.
func hash(_ values: UnsafeBufferPointer<Float>) -> UInt64 {
  values.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3 }
}

/// Writes and finishes all slices of this rank, and completes the tree.
func reduce(_ reduction: TreeReduction, round: Int, ranges: [Range<Int>]) throws {
  write(reduction, round: round, ranges: ranges)
  try reduction.allReduce(ranges: ranges)
}

/// Writes and finishes all slices of this rank.
private func write(_ reduction: TreeReduction, round: Int, ranges: [Range<Int>]) {
  for slice in reduction.slices {
    let slot = reduction.slot(for: slice)
    for range in ranges {
      for i in range { slot[i] = element(slice: slice, index: i, round: round) }
    }
    reduction.finish(slice: slice, ranges: ranges)
  }
}

/// How many of the checked elements differ from the tree's sum, and from the sum one slice after
/// another.
func differences(
  _ result: UnsafePointer<Float>, slices: Int, round: Int, in range: Range<Int>
) -> (fromTree: Int, fromSequence: Int) {
  var fromTree = 0
  var fromSequence = 0
  for i in range {
    let tree = treeSum(slices: slices) { element(slice: $0, index: i, round: round) }
    let sequence = (0..<slices).reduce(Float(0)) { $0 + element(slice: $1, index: i, round: round) }
    if tree.bitPattern != result[i].bitPattern { fromTree += 1 }
    if sequence.bitPattern != result[i].bitPattern { fromSequence += 1 }
  }
  return (fromTree, fromSequence)
}

/// Every bit of the sum is the tree's; another order gives others; the hash is reported for
/// comparison.
func treeCheck(_ world: Communicator, _ arguments: TreeArguments) throws {
  let (slices, count) = (arguments.slices, arguments.count)
  let reduction = try arguments.reduction(world)
  if arguments.transport != .automatic {
    let expected = world.size == 1 ? Transport.local : arguments.transport
    try expectEqual(reduction.transport, expected, "transport")
  }
  for slice in reduction.slices {
    let misaligned = UInt(bitPattern: reduction.slot(for: slice)) % 64
    try expectEqual(misaligned, 0, "alignment of slot")
  }
  try reduce(reduction, round: 0, ranges: [0..<count])
  let checked = 0..<min(count, 200_000)
  let found = differences(reduction.result, slices: slices, round: 0, in: checked)
  try expectEqual(found.fromTree, 0, "elements that differ from the tree")
  if slices > 2 && count > 100 {
    // With three slices or more at least a tenth of the elements must show the order.
    try expectEqual(found.fromSequence > checked.count / 10, true, "order shows")
  }
  let digest = hash(UnsafeBufferPointer(start: reduction.result, count: count))
  let digests = try world.allGather(Array("\(digest)".utf8))
  try expectEqual(Set(digests).count, 1, "different results on the ranks")
  report("hash \(digest)", world)
  try reduction.free()
}

/// 200 rounds with changing data: nobody sees another round's values, though in each round one rank
/// writes late and another one reads late.
func treeRacesCheck(_ world: Communicator, _ arguments: TreeArguments) throws {
  let (slices, count) = (arguments.slices, arguments.count)
  let reduction = try arguments.reduction(world)
  for round in 0..<200 {
    if round % world.size == world.rank { usleep(500) }
    try reduce(reduction, round: round, ranges: [0..<count])
    if (round / 2 + 1) % world.size == world.rank { usleep(500) }
    let start = round * 1013 % (count - 500)
    for range in [0..<100, start..<start + 500, count - 100..<count] {
      let found = differences(reduction.result, slices: slices, round: round, in: range)
      try expectEqual(found.fromTree, 0, "round \(round): elements that differ from the tree")
    }
  }
  try reduction.free()
}

/// Only the ranges are summed; what lies between them stays as it was, in slots and in the result.
func treeRangesCheck(_ world: Communicator, _ arguments: TreeArguments) throws {
  let (slices, count) = (arguments.slices, arguments.count)
  let reduction = try arguments.reduction(world)
  try reduce(reduction, round: 1, ranges: [0..<count])
  let between = Array(UnsafeBufferPointer(start: reduction.result, count: count))
  let ranges = [3..<17, 17..<17, 40..<count / 3, count / 3..<count / 2, count - 5..<count - 1]
  try reduce(reduction, round: 2, ranges: ranges)
  for range in ranges {
    let found = differences(reduction.result, slices: slices, round: 2, in: range)
    try expectEqual(found.fromTree, 0, "elements in \(range) that differ from the tree")
  }
  try expectUntouched(reduction, between, outside: ranges)
  try reduce(reduction, round: 3, ranges: [])
  try reduction.free()
}

/// The result outside the ranges has the bits it had before.
private func expectUntouched(
  _ reduction: TreeReduction, _ before: [Float], outside ranges: [Range<Int>]
) throws {
  let inside = Set(ranges.joined())
  for i in before.indices where !inside.contains(i) {
    try expectEqual(reduction.result[i].bitPattern, before[i].bitPattern, "element \(i), outside")
  }
}

/// The ranges in pieces of at most `size` floats.
private func pieces(of ranges: [Range<Int>], size: Int) -> [Range<Int>] {
  ranges.flatMap { range in
    stride(from: range.lowerBound, to: range.upperBound, by: size).map {
      $0..<min($0 + size, range.upperBound)
    }
  }
}

/// Parts are taken once by each rank's share of them with the tree's sums, ranges are summed for
/// all.
func treeShardsCheck(_ world: Communicator, _ arguments: TreeArguments) throws {
  let (slices, count) = (arguments.slices, arguments.count)
  let reduction = try arguments.reduction(world)
  let (shards, ranges) = ([3..<count / 3, count / 3..<count / 2], [count - 50..<count - 1])
  for round in 0..<20 {
    if round % world.size == world.rank { usleep(500) }
    write(reduction, round: round, ranges: shards + ranges)
    var taken: [Range<Int>] = []
    var wrong = 0
    try reduction.beginShards(shards, allReducing: ranges)
    for piece in pieces(of: reduction.shard(of: shards), size: 1000) {
      try reduction.sumShard(piece)
      taken.append(piece)
      wrong += differences(reduction.result, slices: slices, round: round, in: piece).fromTree
    }
    try reduction.endShards()
    wrong += differences(reduction.result, slices: slices, round: round, in: ranges[0]).fromTree
    try expectEqual(wrong, 0, "round \(round): elements that differ from the tree")
    try expectEqual(
      taken.map(\.count).reduce(0, +), reduction.shard(of: shards).map(\.count).reduce(0, +),
      "own shard")
    let all = try world.allGather(Array("\(taken.flatMap(Array.init))".utf8))
      .flatMap { String(decoding: $0, as: UTF8.self).split { !$0.isNumber }.map { Int($0)! } }
    let copies = arguments.copies(world)
    let expected = shards.joined().flatMap { [Int](repeating: $0, count: copies) }
    try expectEqual(all.sorted() == expected, true, "each element is taken \(copies) times")
  }
  try reduction.free()
}

/// Between hosts gradients are rounded to 16 bits: what comes of them is the tree's sum of the
/// hosts' rounded sums, rounded, the same bits on all ranks; other ranges are as without.
func treeWireCheck(_ world: Communicator, _ arguments: TreeArguments) throws {
  let (slices, count) = (arguments.slices, arguments.count)
  let reduction = try arguments.reduction(world, wire: .bfloat16)
  let (shards, ranges) = ([0..<count - 100], [count - 100..<count])
  for round in 0..<3 {
    write(reduction, round: round, ranges: shards + ranges)
    try reduction.beginShards(shards, allReducing: ranges)
    let own = reduction.shard(of: shards)
    for piece in pieces(of: own, size: 1000) { try reduction.sumShard(piece) }
    try reduction.endShards()
    let exact = differences(reduction.result, slices: slices, round: round, in: ranges[0])
    try expectEqual(exact.fromTree, 0, "round \(round): elements that differ from the tree")
    let hosts = arguments.copies(world)
    for i in own.joined() {
      let sum = roundedSum(slices: slices, hosts: hosts) {
        element(slice: $0, index: i, round: round)
      }
      try expectEqual(reduction.result[i].bitPattern, sum.bitPattern, "element \(i)")
    }
  }
  try reduction.free()
}

/// The sum of so many hosts with equal numbers of slices, powers of two.
private func roundedSum(slices: Int, hosts: Int, _ value: (Int) -> Float) -> Float {
  let share = slices / hosts
  return bfloat16(
    treeSum(slices: hosts) { host in
      bfloat16(treeSum(slices: share) { value(host * share + $0) })
    })
}

/// The nearest number of 8 significant bits, ties to even.
private func bfloat16(_ value: Float) -> Float {
  guard value != 0 else { return value }
  let unit = Float(sign: .plus, exponent: value.exponent - 7, significand: 1)
  return (value / unit).rounded(.toNearestOrEven) * unit
}

/// What cannot be is refused, on every rank, and work goes on afterwards.
func treeRefusalsCheck(_ world: Communicator) throws {
  let uneven = world.size == 1 ? 0 : world.size + 1
  _ = try expectError("\(uneven) slices") {
    _ = try TreeReduction(world, slices: uneven, count: 10)
  }
  _ = try expectError("no floats") { _ = try TreeReduction(world, slices: world.size, count: 0) }
  if world.size > 1 {
    let error = try expectError("counts that differ") {
      _ = try TreeReduction(world, slices: world.size, count: world.rank == 0 ? 10 : 11)
    }
    try expectEqual("\(error)".contains("of 11 floats"), true, "both counts named in: \(error)")
    _ = try expectError("local with several ranks") {
      _ = try TreeReduction(world, slices: world.size, count: 10, transport: .local)
    }
  }
  let sum = try world.allReduce([1], .sum)
  try expectEqual(sum, [Double(world.size)], "sum afterwards")
}

/// A vector that no /dev/shm holds: shared memory is refused with the reason; nothing of it is
/// allocated.
func treeRoomCheck(_ world: Communicator) throws {
  let error = try expectError("shared memory beyond /dev/shm") {
    let count = 1 << 44
    _ = try TreeReduction(world, slices: world.size, count: count, transport: .sharedMemory)
  }
  try expectEqual("\(error)".contains("in /dev/shm, "), true, "reason in: \(error)")
}

/// With too little room the automatic choice is messages, which work; with enough it is shared
/// memory.
func treeFallbackCheck(_ world: Communicator) throws {
  let count = 1 << 20
  let roomy = try TreeReduction(world, slices: world.size, count: count)
  try expectEqual(roomy.transport, .sharedMemory, "transport on one host")
  let cramped = try TreeReduction(
    world, slices: world.size, count: count, sharedMemoryLimit: 100_000)
  try expectEqual(cramped.transport, .messages, "transport without room")
  try reduce(cramped, round: 5, ranges: [0..<1000])
  let found = differences(cramped.result, slices: world.size, round: 5, in: 0..<1000)
  try expectEqual(found.fromTree, 0, "elements that differ from the tree")
  report("\(cramped.transport): \(cramped.transportReason)", world)
  // `roomy` is not freed: its window stays until the process ends, which must not disturb
  // MPI_Finalize.
}
