import LatheFiles
import Glibc

/// Fills the next slices on a thread of its own while the present ones are in use.
///
/// Slices come in the order in which one rank needs them: its slices of a draw, then those of the
/// next. What a slice holds is the loader's matter, a function of draw and slice, so whoever fills
/// it makes no difference. At most `depth` slices are kept. One thread asks; `stop`, or the end of
/// this object, ends the filling thread.
public final class Prefetcher {
  /// Seconds spent in `take`, waiting for slices to be filled and copying them.
  public private(set) var secondsWaited = 0.0
  private let queue: SliceQueue
  private let thread: pthread_t

  /// What is wrong with an image that was taken: one of a packed file whose bytes have changed.
  /// Each image is looked at once, when it is used for the first time.
  public var damage: FileError? { queue.foundDamage }

  /// Begins to fill `slices` of the draws from `draw` on.
  public init(_ loader: BatchLoader, slices: [Int], from draw: Int, depth: Int? = nil) {
    require(!slices.isEmpty, "Prefetcher: no slices")
    queue = SliceQueue(loader, slices: slices, from: draw, depth: depth ?? 2 * slices.count)
    thread = Self.start(queue)
  }

  deinit { stop() }

  /// Ends the filling thread and waits until it has ended.
  private func stop() {
    queue.stop()
    pthread_join(thread, nil)
  }

  /// Copies a slice to `destination`, waiting until it is filled: the next one, or the first of a
  /// later draw.
  ///
  /// Draws before `draw` that nobody asked for are passed over, those of a block that does not run
  /// in a step.
  public func take(
    draw: Int, slice: Int, into destination: UnsafeMutablePointer<Float>
  ) {
    let start = now()
    var (buffer, place) = queue.filled()
    while queue.item(place).draw < draw {
      queue.release()
      (buffer, place) = queue.filled()
    }
    let expected = queue.item(place)
    require(
      expected == (draw, slice),
      "Prefetcher: slice \(slice) of draw \(draw) asked for, "
        + "\(expected.slice) of \(expected.draw) is next"
    )
    destination.update(from: buffer, count: queue.loader.valuesPerSlice)
    queue.release()
    secondsWaited += now() - start
  }

  private static func start(_ queue: SliceQueue) -> pthread_t {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(queue).toOpaque()
    // Signals are for the thread that trains.
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    let status = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<SliceQueue>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, context)
    pthread_sigmask(SIG_SETMASK, &previous, nil)
    require(status == 0, "Prefetcher: pthread_create: \(String(cString: strerror(status)))")
    return thread
  }

  private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A ring of buffers between the thread that fills and the one that takes.
///
/// Slice number n of the sequence lies in buffer n mod `depth`. Numbers from `taken` to `filledEnd`
/// are filled; the filling thread writes only buffer `filledEnd`, and only while `filledEnd − taken
/// < depth`; the other thread reads only buffer `taken`. Both numbers change under the lock.
private final class SliceQueue: @unchecked Sendable {
  let loader: BatchLoader
  private let slices: [Int]
  private let firstDraw, depth: Int
  private let buffers: UnsafeMutablePointer<Float>
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  // Under the lock.
  private var taken = 0
  private var filledEnd = 0
  private var isStopped = false
  private var damage: FileError?
  // The filling thread's own.
  private var isVerified: [Bool]

  init(_ loader: BatchLoader, slices: [Int], from draw: Int, depth: Int) {
    require(depth > 0, "Prefetcher: depth \(depth)")
    self.loader = loader
    self.slices = slices
    firstDraw = draw
    self.depth = depth
    isVerified = [Bool](repeating: false, count: loader.images.count)
    buffers = .allocate(capacity: depth * loader.valuesPerSlice)
    buffers.initialize(repeating: 0, count: depth * loader.valuesPerSlice)
    lock = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(lock)
    changed.deallocate()
    lock.deallocate()
    buffers.deallocate()
  }

  /// Draw and slice with a number of the sequence.
  func item(_ number: Int) -> (draw: Int, slice: Int) {
    (firstDraw + number / slices.count, slices[number % slices.count])
  }

  /// The filling thread: until stopped.
  func run() {
    var number = 0
    while waitForRoom() {
      let (draw, slice) = item(number)
      loader.fill(buffer(number), draw: draw, slice: slice)
      verify(draw: draw, slice: slice)
      number += 1
      change { filledEnd = number }
    }
  }

  private func verify(draw: Int, slice: Int) {
    for image in loader.indices(draw: draw, slice: slice) where !isVerified[image] {
      isVerified[image] = true
      do throws(FileError) { try loader.images.verify(image) } catch { change { damage = error } }
    }
  }

  var foundDamage: FileError? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return damage
  }

  /// Waits for the next slice; its values stay until `release`.
  func filled() -> (UnsafeMutablePointer<Float>, Int) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while filledEnd == taken { pthread_cond_wait(changed, lock) }
    return (buffer(taken), taken)
  }

  func release() { change { taken += 1 } }

  func stop() { change { isStopped = true } }

  private func waitForRoom() -> Bool {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while filledEnd - taken == depth && !isStopped { pthread_cond_wait(changed, lock) }
    return !isStopped
  }

  private func change(_ body: () -> Void) {
    pthread_mutex_lock(lock)
    body()
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
  }

  private func buffer(_ number: Int) -> UnsafeMutablePointer<Float> {
    buffers + number % depth * loader.valuesPerSlice
  }
}
