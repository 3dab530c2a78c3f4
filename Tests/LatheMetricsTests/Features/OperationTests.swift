import LatheTensors
import TestSupport
import Testing

let featureGolden: String = goldenPath("features.safetensors")

func goldenPath(_ name: String) -> String {
  let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
  return "/\(folder)/Golden/\(name)"
}

/// What Inception needs besides square convolutions, against PyTorch.
@Suite struct InceptionOperationTests {
  private let golden: Golden
  private let x: Tensor

  init() throws {
    golden = try Golden(featureGolden)
    x = try golden.tensor("x")
  }

  @Test func maximumOfWindows() throws {
    expectClose(maxPooling(x, kernel: 3, stride: 2), try golden.tensor("max_pool"), relative: 0)
    expectClose(
      maxPooling(x, kernel: 3, stride: 1, padding: 1), try golden.tensor("max_pool_padded"),
      relative: 0)
  }

  @Test func meanLeavesOutPadding() throws {
    let mean = averagePooling(x, kernel: 3, stride: 1, padding: 1)
    expectClose(mean, try golden.tensor("average_pool"), relative: 1e-6)
    let ones = averagePooling(
      Tensor(filledWith: 1, shape: [1, 4, 5, 2]), kernel: 3, stride: 1, padding: 1)
    expectClose(ones.values, [Float](repeating: 1, count: 40), relative: 1e-6)
  }

  @Test func notANumberStays() {
    var values = [Float](repeating: 1, count: 16)
    values[5] = .nan
    let pooled = maxPooling(Tensor(values, shape: [1, 4, 4, 1]), kernel: 2, stride: 2)
    #expect(pooled.values.map(\.isNaN) == [true, false, false, false])
  }

  @Test func resizes() throws {
    expectClose(
      resizingBilinearly(x, height: 12, width: 13, halfPixelCentres: true),
      try golden.tensor("half_pixel"), relative: 1e-6)
    expectClose(
      resizingBilinearly(x, height: 4, width: 5, halfPixelCentres: true),
      try golden.tensor("half_pixel_smaller"), relative: 1e-6)
    expectClose(
      resizingBilinearly(x, height: 12, width: 13, halfPixelCentres: false),
      try golden.tensor("tensorflow"), relative: 1e-6)
  }

  @Test func resizesDiffer() throws {
    let other = resizingBilinearly(x, height: 12, width: 13, halfPixelCentres: true)
    #expect(difference(other.values, try golden.tensor("tensorflow").values, relative: 1e-2) != nil)
  }

  @Test(arguments: [(1, 7), (7, 1), (1, 3), (3, 1)])
  func oblongConvolutions(height: Int, width: Int) throws {
    let name = "conv\(height)x\(width)"
    let result = convolution(
      try golden.tensor("wide"), try golden.tensor(name + ".weight"),
      padding: .explicit(top: height / 2, bottom: height / 2, left: width / 2, right: width / 2))
    expectClose(
      addingBias(result, try golden.tensor(name + ".bias"), relu: true),
      try golden.tensor(name), relative: 1e-5)
  }
}
