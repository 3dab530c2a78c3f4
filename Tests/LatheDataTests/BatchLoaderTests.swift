import LatheNN
import LatheData
import Testing

@Suite struct BatchLoaderTests {
  private func slice(_ loader: BatchLoader, draw: Int, slice: Int) -> [Float] {
    var values = [Float](repeating: -1, count: loader.valuesPerSlice + 1)
    loader.fill(&values, draw: draw, slice: slice)
    #expect(values.removeLast() == -1, "wrote past the slice")
    return values
  }

  private func loader(slices: Int) -> BatchLoader {
    BatchLoader(
      images: numberedSet(count: 50), order: Order(count: 50, batch: 12, seed: 1), slices: slices)
  }

  @Test func fillsInOrder() {
    let loader = loader(slices: 4)
    #expect(loader.imagesPerSlice == 3 && loader.valuesPerSlice == 18)
    for draw in [0, 3, 4, 11] {
      for part in 0..<4 {
        let numbers = (0..<3).map { loader.order.index(at: draw * 12 + part * 3 + $0) }
        let expected = numbers.flatMap { [Float](repeating: Float($0) / 255, count: 6) }
        #expect(slice(loader, draw: draw, slice: part) == expected)
        #expect(loader.labels(draw: draw, slice: part) == numbers.map { UInt8($0 % 10) })
      }
    }
  }

  @Test(arguments: [1, 2, 3, 6, 12]) func slicesMakeUpTheSameBatch(slices: Int) {
    let (whole, parts) = (loader(slices: 1), loader(slices: slices))
    let joined = (0..<slices).flatMap { slice(parts, draw: 5, slice: $0) }
    #expect(joined == slice(whole, draw: 5, slice: 0))
  }

  @Test func scalesBytesToTheUnitInterval() {
    let shape = ImageShape(height: 16, width: 16, channels: 1)
    let set = ImageSet(
      name: "ramp", split: .train, shape: shape, pixels: (0...255).map { UInt8($0) }, labels: [0],
      classNames: [])
    let loader = BatchLoader(images: set, order: Order(count: 1, batch: 1, seed: 0), slices: 1)
    let values = slice(loader, draw: 0, slice: 0)
    #expect(values == (0...255).map { Float($0) / 255 })
    #expect(values[0] == 0 && values[255] == 1)
  }

  @Test func slicesMustDivideTheBatch() async {
    await #expect(processExitsWith: .failure) {
      _ = BatchLoader(
        images: numberedSet(count: 50), order: Order(count: 50, batch: 12, seed: 1), slices: 5)
    }
  }
}
