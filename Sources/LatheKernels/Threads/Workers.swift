import LatheFiles
internal import CKernels

/// The threads of this process that share the work of a kernel.
///
/// Work is cut into pieces whose size depends on the problem alone, so results have the same bits
/// whatever the count.
public enum Workers {
  /// Threads at work, with the caller; 1 until `setCount`.
  public static var count: Int { ck_worker_count() }

  /// Sets the number of threads, with the caller; not from inside `forEach`.
  ///
  /// Concretely, `threads - 1` threads that sleep between jobs. Traps when the system refuses them.
  public static func setCount(_ threads: Int) {
    require(threads > 0, "Workers: \(threads) threads, expected at least 1")
    let started = ck_set_worker_count(threads)
    require(started == threads, "Workers: \(threads) threads asked, \(started) to be had")
  }

  /// Runs `body(piece, worker)` for each piece in 0 ..< pieces, and returns when all are done.
  ///
  /// Pieces run in any order, on up to `count` threads; `worker` is the thread's number, below
  /// `count`.
  /// From inside a piece, or while another thread's job runs, all of them run on the calling
  /// thread.
  public static func forEach(_ pieces: Int, _ body: (_ piece: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        ck_for_each(pieces, runPiece, UnsafeMutableRawPointer(mutating: pointer))
      }
    }
  }
}

private typealias Body = (_ piece: Int, _ worker: Int) -> Void

private func runPiece(_ context: UnsafeMutableRawPointer?, _ piece: Int, _ worker: Int) {
  context.unsafelyUnwrapped.assumingMemoryBound(to: Body.self).pointee(piece, worker)
}

/// Floats in one piece of work that streams through memory.
let pieceSize = 65536

/// Runs `body` for ranges of at most `size` numbers that make up 0 ..< count.
func forEachRange(_ count: Int, size: Int = pieceSize, _ body: (Range<Int>) -> Void) {
  Workers.forEach((count + size - 1) / size) { piece, _ in
    body(piece * size..<min(count, (piece + 1) * size))
  }
}

/// Runs `body` for ranges of rows, each of `columns` floats, with about `pieceSize` floats in each.
func forEachRows(_ rows: Int, of columns: Int, _ body: (Range<Int>) -> Void) {
  forEachRange(rows, size: rowsInPiece(of: columns), body)
}

/// Rows of `columns` floats that make one piece.
func rowsInPiece(of columns: Int) -> Int { max(1, pieceSize / max(1, columns)) }
