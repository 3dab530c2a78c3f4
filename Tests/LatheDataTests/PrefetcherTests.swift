import LatheNN
import LatheData
import Glibc
import Testing

@Suite struct PrefetcherTests {
  private func loader(slices: Int, flips: Bool = false, replacement: Bool = false) -> BatchLoader {
    BatchLoader(
      images: numberedSet(count: 50),
      order: Order(count: 50, batch: 12, seed: 1, replacement: replacement), slices: slices,
      augmentation: Augmentation(flips: flips))
  }

  @Test(arguments: [1, 2, 5], [false, true]) func handsOverWhatTheLoaderFills(
    depth: Int, replacement: Bool
  ) {
    let loader = loader(slices: 4, replacement: replacement)
    let prefetcher = Prefetcher(loader, slices: [1, 2], from: 7, depth: depth)
    var expected = [Float](repeating: 0, count: loader.valuesPerSlice)
    var found = expected
    for draw in 7..<60 {
      for slice in [1, 2] {
        loader.fill(&expected, draw: draw, slice: slice)
        prefetcher.take(draw: draw, slice: slice, into: &found)
        #expect(found == expected, "draw \(draw), slice \(slice)")
      }
    }
    #expect(prefetcher.secondsWaited >= 0)
  }

  @Test func passesOverDrawsThatNobodyAskedFor() {
    let loader = loader(slices: 4)
    let prefetcher = Prefetcher(loader, slices: [1, 2], from: 0)
    var expected = [Float](repeating: 0, count: loader.valuesPerSlice)
    var found = expected
    for draw in [0, 3, 4, 20] {
      for slice in [1, 2] {
        loader.fill(&expected, draw: draw, slice: slice)
        prefetcher.take(draw: draw, slice: slice, into: &found)
        #expect(found == expected, "draw \(draw), slice \(slice)")
      }
    }
  }

  @Test func endsWithoutBeingAsked() {
    for _ in 0..<50 { _ = Prefetcher(loader(slices: 1), slices: [0], from: 0) }
  }

  @Test(arguments: [(2, 0), (3, 1), (4, 1)]) func anotherSliceThanTheNextTraps(
    draw: Int, slice: Int
  ) async {
    await #expect(processExitsWith: .failure) { [draw, slice] in
      let loader = BatchLoader(
        images: numberedSet(count: 50), order: Order(count: 50, batch: 12, seed: 1), slices: 2)
      var values = [Float](repeating: 0, count: loader.valuesPerSlice)
      Prefetcher(loader, slices: [0, 1], from: 3).take(draw: draw, slice: slice, into: &values)
    }
  }

  @Test func mirrorsEveryOtherImageByPosition() {
    let shape = ImageShape(height: 2, width: 3, channels: 2)
    let set = ImageSet(
      name: "one", split: .train, shape: shape, pixels: (0..<12).map { UInt8($0) }, labels: [0],
      classNames: [])
    let order = Order(count: 1, batch: 1, seed: 5, replacement: true)
    let loader = BatchLoader(
      images: set, order: order, slices: 1, augmentation: Augmentation(flips: true))
    let mirrored = [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7]
    var flipped = 0
    for draw in 0..<2000 {
      var values = [Float](repeating: -1, count: 12)
      loader.fill(&values, draw: draw, slice: 0)
      let isFlipped = order.isFlipped(at: draw)
      #expect(values == (isFlipped ? mirrored : Array(0..<12)).map { Float($0) / 255 })
      flipped += isFlipped ? 1 : 0
    }
    #expect(abs(flipped - 1000) < 112, "five standard deviations")
  }
}
