internal import CKernels

// GEMM by tiles, for arm64 and processors with AVX2 or AVX-512. The contraction is cut into K
// blocks of a length fixed by its own length. Within a K block a number is one chain of additions,
// and K blocks are added up in order. So its bits depend neither on how rows and columns are shared
// out nor on their number.

/// How operands are packed, in elements of 32 bits.
enum Packing {
  /// An element is a float.
  case floats
  /// An element is a pair of bfloat16 numbers that follow each other along the contraction.
  case bf16Pairs
  /// Floats where they lie, multiplied by OpenBLAS.
  case unpacked

  /// The packing of `precision` on this processor.
  init(_ precision: Precision, usesTiles: Bool) {
    if usesTiles && precision == .bfloat16 && Tiles.takeBF16Pairs {
      self = .bf16Pairs
    } else {
      self = usesTiles && Tiles.takeFloats ? .floats : .unpacked
    }
  }

  /// Whether this package's tiles multiply, not OpenBLAS.
  var isTiled: Bool { self != .unpacked }

  var precision: Precision { self == .bf16Pairs ? .bfloat16 : .float32 }

  var flag: Int32 { self == .bf16Pairs ? 1 : 0 }

  /// Elements that hold so many numbers.
  func length(of numbers: Int) -> Int { self == .bf16Pairs ? (numbers + 1) / 2 : numbers }

  /// Numbers in so many elements.
  func numbers(in length: Int) -> Int { self == .bf16Pairs ? 2 * length : length }
}

/// Columns and rows of this processor's tiles: 32 and 8 with AVX-512, 16 and 6 with AVX2, 16 and 4
/// on arm64.
let panelWidth = ck_shape_of_tiles().columns
let tileRows = ck_shape_of_tiles().rows

/// Elements of the contraction that are worked on together: a panel of them stays in the cache,
/// that of the second level for wide tiles, that of the first for narrow ones.
let defaultKBlock = Tiles.areNarrow ? 256 : 1024

/// Panels that are packed together from lines of the right operand. Wide tiles take one at a time
/// and copy it in passing, while the next one is fetched.
let panelsTogether = Tiles.areNarrow ? 8 : 1

/// One thread's part of C = op(A) op(B) or C += op(A) op(B).
struct TiledGEMM {
  private(set) var left: Operand
  let right: Operand
  let k: Int
  let packing: Packing
  /// Panels of the right operand, where they are packed beforehand.
  var packed: Floats?
  /// Whether rows of the left operand are pairs already, whose columns are packed elements.
  private var leftIsPaired = false
  /// Elements of the contraction that are one chain of additions: at most `defaultKBlock`, of which
  /// panels have room.
  var kBlockLength = defaultKBlock

  init(left: Operand, right: Operand, k: Int, packing: Packing) {
    self.left = left
    self.right = right
    self.k = k
    self.packing = packing
  }

  /// The part `rows` × `columns`; `c` is where it begins, its rows `columnsOfC` apart.
  func write(
    _ rows: Range<Int>, _ columns: Range<Int>, to c: MutableFloats, columnsOfC: Int,
    accumulate: Bool
  ) {
    let places = Scratch.rows.integers(2 * rows.count)
    for row in 0..<rows.count { places[rows.count + row] = row * columnsOfC }
    if k == 0 && !accumulate { clear(rows.count, columns.count, c, columnsOfC) }
    let together = packing.numbers(in: kBlockLength)
    for first in stride(from: 0, to: k, by: together) {
      let kBlock = first..<min(k, first + together)
      var job = ck_tiles()
      job.bf16_pairs = packing.flag
      job.adds = accumulate || first > 0 ? 1 : 0
      job.streams = streams(c, columnsOfC, rows.count, columns.count) ? 1 : 0
      job.rows = rows.count
      takeLeft(rows, kBlock, places, &job)
      job.a_rows = UnsafePointer(places)
      job.c_rows = UnsafePointer(places) + rows.count
      multiply(columns, kBlock, c, &job)
    }
  }

  /// Panel after panel of the right operand; the next one is fetched meanwhile where it lies in
  /// lines.
  private func multiply(
    _ columns: Range<Int>, _ kBlock: Range<Int>, _ c: MutableFloats, _ job: inout ck_tiles
  ) {
    let together = panelsTogether * panelWidth
    for first in stride(from: columns.lowerBound, to: columns.upperBound, by: together) {
      let group = first..<min(columns.upperBound, first + together)
      let apart = takePanels(group, kBlock, &job)
      for column in stride(from: first, to: group.upperBound, by: panelWidth) {
        job.columns = min(panelWidth, columns.upperBound - column)
        job.ahead = linesAfter(column, columns, kBlock)
        job.c = c + (column - columns.lowerBound)
        ck_multiply_tiles(&job)
        job.panel += apart
      }
    }
  }

  /// The next panel's lines, or the first ones of the next K block; none where they are near
  /// anyway, or several panels are packed together, which fetches enough.
  private func linesAfter(_ column: Int, _ columns: Range<Int>, _ kBlock: Range<Int>) -> ck_ahead {
    if right.transposed || packed != nil || right.columns < 256 || Tiles.areNarrow {
      return ck_ahead(start: right.start, stride: 0, rows: 0)
    }
    let next = column + panelWidth
    if next < columns.upperBound {
      return ck_ahead(
        start: right.at(kBlock.lowerBound, next), stride: right.columns, rows: kBlock.count)
    }
    return ck_ahead(
      start: right.at(kBlock.upperBound, columns.lowerBound), stride: right.columns,
      rows: min(kBlock.count, k - kBlock.upperBound))
  }

  /// Panels that are packed already, one to be copied in passing, or some to be packed now; returns
  /// how far they are apart.
  private func takePanels(_ columns: Range<Int>, _ kBlock: Range<Int>, _ job: inout ck_tiles) -> Int
  {
    job.source = nil
    let first = columns.lowerBound
    if let packed {
      let line = first / panelWidth * packing.length(of: k) + packing.length(of: kBlock.lowerBound)
      job.panel = packed + line * panelWidth
      return packing.length(of: k) * panelWidth
    }
    let panels = Scratch.panel.floats(defaultKBlock * panelWidth * panelsTogether)
    job.panel = Floats(panels)
    if !right.transposed && !left.transposed && !Tiles.areNarrow && columns.count == panelWidth
      && kBlock.count % packing.numbers(in: 1) == 0
    {
      job.source = right.at(kBlock.lowerBound, first)
      job.source_stride = right.columns
    } else {
      ck_pack_panels(
        packing.flag, right.at(kBlock.lowerBound, first), right.transposed ? 1 : 0, right.columns,
        kBlock.count, columns.count, defaultKBlock * panelWidth, panels)
    }
    return defaultKBlock * panelWidth
  }

  /// Packs all of the right operand's `n` columns, once for all parts of the GEMM.
  mutating func packRight(columns n: Int) {
    let panels = (n + panelWidth - 1) / panelWidth
    let size = packing.length(of: k) * panelWidth
    let all = Scratch.panels.floats(panels * size)
    let right = right, k = k, packing = packing
    Workers.forEach((panels + panelsTogether - 1) / panelsTogether) { group, _ in
      let panel = group * panelsTogether
      ck_pack_panels(
        packing.flag, right.at(0, panel * panelWidth), right.transposed ? 1 : 0, right.columns, k,
        min(panelsTogether * panelWidth, n - panel * panelWidth), size, all + panel * size)
    }
    packed = Floats(all)
  }

  /// Makes pairs of all `m` rows of a left operand that is not transposed, once for all parts of
  /// the GEMM.
  mutating func packLeftPairs(rows m: Int) {
    let size = packing.length(of: k)
    let all = Scratch.roundedLeft.floats(m * size)
    let left = left, k = k
    forEachRows(m, of: k) { rows in
      ck_pack_rows(
        left.at(rows.lowerBound, 0), left.columns, rows.count, k, all + rows.lowerBound * size)
    }
    self.left = Operand(start: Floats(all), transposed: false, columns: size)
    leftIsPaired = true
  }

  /// The left operand where it lies, as pairs, or as columns side by side.
  private func takeLeft(
    _ rows: Range<Int>, _ kBlock: Range<Int>, _ places: UnsafeMutablePointer<Int>,
    _ job: inout ck_tiles
  ) {
    let length = packing.length(of: kBlock.count)
    let first = leftIsPaired ? packing.length(of: kBlock.lowerBound) : kBlock.lowerBound
    let start = left.at(rows.lowerBound, first)
    job.runs = 1
    job.run_length = length
    job.a_step = left.transposed ? tileRows : 1
    job.a = start
    if !left.transposed && (packing == .floats || leftIsPaired) {
      for row in 0..<rows.count { places[row] = row * left.columns }
      return
    }
    let packed = Scratch.left.floats((rows.count + tileRows) * length)
    job.a = Floats(packed)
    if left.transposed {
      let lines = Scratch.lines.integers(kBlock.count)
      for l in 0..<kBlock.count { lines[l] = l * left.columns }
      ck_pack_columns(packing.flag, start, lines, kBlock.count, rows.count, packed)
      for row in 0..<rows.count {
        places[row] = row / tileRows * tileRows * length + row % tileRows
      }
    } else {
      ck_pack_rows(start, left.columns, rows.count, kBlock.count, packed)
      for row in 0..<rows.count { places[row] = row * length }
    }
  }

  /// Whether so much is written, aligned, that it goes past the cache.
  private func streams(_ c: MutableFloats, _ columnsOfC: Int, _ rows: Int, _ columns: Int) -> Bool {
    Int(bitPattern: c) % 64 == 0 && columnsOfC % 16 == 0 && k <= 512
      && rows * columnsOfC >= 1 << 18
  }

  private func clear(_ rows: Int, _ columns: Int, _ c: MutableFloats, _ columnsOfC: Int) {
    for row in 0..<rows { ck_fill(c + row * columnsOfC, 0, columns) }
  }
}

extension Operand {
  /// Where element (row, column) of op(self) lies.
  func at(_ row: Int, _ column: Int) -> Floats {
    start + (transposed ? column * columns + row : row * columns + column)
  }

  /// op(self), transposed.
  var flipped: Operand { Operand(start: start, transposed: !transposed, columns: columns) }
}
