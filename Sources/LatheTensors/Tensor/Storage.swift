import LatheFiles
import Glibc
import LatheKernels
import Synchronization

/// A run of float32 values: pooled and step-local, or a part of memory that something else owns.
public final class Storage: @unchecked Sendable {
  /// First value.
  public let pointer: UnsafeMutablePointer<Float>
  /// Number of values.
  public let count: Int
  private let owner: AnyObject?
  /// Of images, what each of them shows, `[N, labels]`.
  var labels: Tensor?

  /// Uninitialised memory for `count` values from the pool; it returns there when released.
  public init(count: Int) {
    self.count = count
    pointer = StoragePool.take(count)
    owner = nil
  }

  /// A part of memory that `owner` keeps alive.
  public init(_ pointer: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  /// Whether the memory is the pool's.
  var isPooled: Bool { owner == nil }

  deinit {
    if owner == nil { StoragePool.give(pointer, count) }
  }
}

/// Memory for step-local tensors, reused from step to step so that a warm step asks the system for
/// none.
///
/// Requests are rounded up to classes of at most one eighth of waste, and a class keeps its free
/// blocks. Blocks of 2 MiB or more are aligned for huge pages.
public enum StoragePool {
  /// What the pool holds.
  public struct Statistics: Sendable {
    /// Bytes held now.
    public var bytes = 0
    /// How often the system was asked.
    public var systemAllocations = 0
  }

  private struct State {
    var free: [Int: [UnsafeMutableRawPointer]] = [:]
    var statistics = Statistics()
  }

  // Raw pointers carry no ownership; the lock orders every access to the lists.
  private struct Guarded: @unchecked Sendable { var state = State() }
  private static let guarded = Mutex(Guarded())

  /// What the pool holds now.
  public static var statistics: Statistics { guarded.withLock { $0.state.statistics } }

  /// Gives every free block back to the system: after work whose sizes don't come again, such as
  /// first values.
  public static func trim() {
    guarded.withLock { guarded in
      for (bytes, blocks) in guarded.state.free {
        for block in blocks { free(block) }
        guarded.state.statistics.bytes -= bytes * blocks.count
      }
      guarded.state.free = [:]
    }
  }

  static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = classSize(count)
    let block = guarded.withLock { guarded -> UnsafeMutableRawPointer in
      if let block = guarded.state.free[bytes]?.popLast() { return block }
      guarded.state.statistics.bytes += bytes
      guarded.state.statistics.systemAllocations += 1
      return systemMemory(bytes)
    }
    return block.assumingMemoryBound(to: Float.self)
  }

  static func give(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    guarded.withLock { $0.state.free[classSize(count), default: []].append(pointer) }
  }

  /// Bytes of the class that serves `count` floats: (8…15) · 2ᵏ, at least 64.
  static func classSize(_ count: Int) -> Int {
    let bytes = max(64, count * MemoryLayout<Float>.stride)
    let unit = max(64, 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount - 4))
    return (bytes + unit - 1) / unit * unit
  }
}

/// Memory from the system, zeroed if asked, aligned to 64 bytes, or to huge pages when it is that
/// large.
func systemMemory(_ bytes: Int, isZeroed: Bool = true) -> UnsafeMutableRawPointer {
  let hugePage = 2 << 20
  var block: UnsafeMutableRawPointer?
  let status = posix_memalign(&block, bytes >= hugePage ? hugePage : 64, bytes)
  guard status == 0, let block else {
    trap("out of memory: \(bytes) bytes asked, \(String(cString: strerror(status)))")
  }
  if bytes >= hugePage { madvise(block, bytes, MADV_HUGEPAGE) }
  if isZeroed { memset(block, 0, bytes) }
  return block
}

/// Long-lived zeroed memory with one layout: the parameters, a moment of an optimizer.
public final class Arena: @unchecked Sendable {
  /// First value, aligned to 64 bytes, to 2 MiB when large.
  public let pointer: UnsafeMutablePointer<Float>
  /// Number of values.
  public let count: Int
  private let owner: AnyObject?

  /// A part of memory that `owner` keeps alive.
  public init(_ pointer: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  /// Zeroes, or values that are yet to be written: the system then gives each page only when it is.
  public init(count: Int, isZeroed: Bool = true) {
    self.count = count
    owner = nil
    pointer = systemMemory(max(64, count * 4), isZeroed: isZeroed)
      .assumingMemoryBound(to: Float.self)
  }

  /// The same number for each value of a range.
  public convenience init(for range: Range<Int>, filledWith value: Float) {
    self.init(count: range.count)
    if value != 0 { LatheKernels.fill(pointer, with: value, count: count) }
  }

  /// The values of a range, sharing the arena's memory.
  public func storage(_ range: Range<Int>) -> Storage {
    require(range.upperBound <= count, "Arena: range \(range) of \(count) values")
    return Storage(pointer + range.lowerBound, count: range.count, owner: self)
  }

  deinit {
    if owner == nil { free(pointer) }
  }
}
