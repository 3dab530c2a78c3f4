import LatheData
import Foundation
import Testing

@Suite struct ResamplerTests {
  private func resized(
    _ pixels: [UInt8], _ height: Int, _ width: Int, crop: Int, size: Int, _ filter: ResizeFilter
  ) -> [UInt8] {
    var resampler = Resampler(height: height, width: width, crop: crop, size: size, filter: filter)
    let image = DecodedImage(height: height, width: width, channels: 3, pixels: pixels)
    var output = [UInt8](repeating: 0, count: size * size * 3)
    resampler.resize(image, into: &output)
    return output
  }

  /// The formula in double precision, both axes at once.
  private func reference(
    _ pixels: [UInt8], _ height: Int, _ width: Int, crop: Int, size: Int, _ filter: ResizeFilter
  ) -> [Double] {
    func kernel(_ x: Double) -> Double {
      if filter == .bilinear { return max(0, 1 - abs(x)) }
      func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
      return abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0
    }
    let scale = Double(crop) / Double(size)
    let weights = (0..<size).map { output -> [Double] in
      let row = (0..<crop).map {
        kernel((Double($0) + 0.5 - (Double(output) + 0.5) * scale) / max(scale, 1))
      }
      let sum = row.reduce(0, +)
      return row.map { $0 / sum }
    }
    let (top, left) = ((height - crop) / 2, (width - crop) / 2)
    var result: [Double] = []
    for y in 0..<size {
      for x in 0..<size {
        for channel in 0..<3 {
          var sum = 0.0
          for row in 0..<crop where weights[y][row] != 0 {
            for column in 0..<crop where weights[x][column] != 0 {
              let place = ((top + row) * width + left + column) * 3 + channel
              sum += weights[y][row] * weights[x][column] * Double(pixels[place])
            }
          }
          result.append(sum)
        }
      }
    }
    return result
  }

  @Test(arguments: ResizeFilter.allCases, [(48, 16), (35, 16), (20, 33), (16, 16)])
  func followsTheFormula(filter: ResizeFilter, sides: (crop: Int, size: Int)) {
    let pixels = picture(height: 51, width: 60)
    let found = resized(pixels, 51, 60, crop: sides.crop, size: sides.size, filter)
    let expected = reference(pixels, 51, 60, crop: sides.crop, size: sides.size, filter)
    let worst = zip(found, expected).map { abs(Double($0) - $1) }.max()!
    // Half a level for each axis, that of the first weighted by the second, whose absolute weights
    // sum to 1.5 at most.
    #expect(worst <= (filter == .bilinear ? 1.01 : 1.26))
  }

  @Test(arguments: ResizeFilter.allCases) func keepsConstantsAndExtremes(_ filter: ResizeFilter) {
    for level in [UInt8(0), 1, 127, 255] {
      let pixels = [UInt8](repeating: level, count: 40 * 40 * 3)
      #expect(resized(pixels, 40, 40, crop: 37, size: 16, filter).allSatisfy { $0 == level })
    }
    // Lanczos overshoots at an edge and is cut off instead of running over.
    let edge = (0..<40 * 40 * 3).map { UInt8($0 / 3 % 40 < 20 ? 0 : 255) }
    let row = resized(edge, 40, 40, crop: 40, size: 20, filter).prefix(60)
    #expect(row.first == 0 && row.last == 255)
  }

  @Test func cropsTheCentre() {
    let pixels = (0..<7 * 5 * 3).map { UInt8($0) }
    let found = resized(pixels, 7, 5, crop: 2, size: 2, .bilinear)
    // Rows 2 and 3, columns 1 and 2.
    let starts = [33, 48]
    #expect(found == starts.flatMap { Array(pixels[$0..<$0 + 6]) })
  }

  /// Levels that Pillow 13.0.0's `Image.resize` gave for the same 8 × 8 picture, resized to 3 × 3.
  @Test(arguments: ResizeFilter.allCases) func agreesWithPillow(_ filter: ResizeFilter) throws {
    let pixels = (0..<8 * 8 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 * 5 + $0 * 13) }
    let found = resized(pixels, 8, 8, crop: 8, size: 3, filter)
    #expect(found == pillowLevels[filter]!)
  }
}

private let pillowLevels: [ResizeFilter: [UInt8]] = [
  .bilinear: [
    101, 127, 152, 99, 140, 151, 135, 99, 130, 152, 147, 132, 105, 145, 137, 137, 103, 146, 132, 81,
    135, 142, 85, 144, 131, 98, 148,
  ],
  .lanczos: [
    95, 122, 147, 93, 146, 160, 136, 97, 125, 166, 156, 131, 98, 149, 132, 142, 95, 145, 125, 72,
    139, 150, 79, 149, 128, 103, 146,
  ],
]
