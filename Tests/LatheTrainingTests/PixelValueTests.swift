import LatheData
import LatheNN
import LatheTraining
import Testing

/// Training and evaluation see the same values of the same image.
@Suite struct PixelValueTests {
  @Test func trainingAndEvaluationConvertAlike() {
    let shape = ImageShape(height: 16, width: 16, channels: 1)
    let images = ImageSet(images: (0...255).map { UInt8($0) }, shape: shape)
    let loader = BatchLoader(images: images, order: Order(count: 1, batch: 1, seed: 0), slices: 1)
    let trained = [Float](unsafeUninitializedCapacity: 256) { buffer, count in
      loader.fill(buffer.baseAddress!, draw: 0, slice: 0)
      count = 256
    }
    #expect(trained == (0...255).map { Float($0) / 255 })
    #expect(images.tensor([0]).values == trained)
  }
}
