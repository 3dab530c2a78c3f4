import LatheFiles
import LatheNN
import SystemPackage

// Goals, in order:
// 1. Agreement with Pillow's `Image.resize` to one level at every pixel, so like there each axis is
// rounded to 8 bits.
// 2. Speed: a resize costs less than decoding the JPEG.

/// Cuts the centre out of pictures of one size and resizes it to a square; one for each thread.
package struct Resampler {
  private let crop: Int
  private let size: Int
  private let inputHeight: Int
  private let inputWidth: Int
  private let axis: AxisResampler
  private var rows: [UInt8]  // [crop, size, 3]
  private var sums: [Int32]  // [size, 3]

  /// For pictures of so many rows and columns, of which the centred square of side `crop` is kept.
  ///
  /// With an odd number of rows or columns left over, the odd one is cut off below or at the right.
  package init(height: Int, width: Int, crop: Int, size: Int, filter: ResizeFilter) {
    require(
      crop > 0 && crop <= min(height, width) && size > 0,
      "Resampler: a square of \(crop) from \(height) × \(width), to \(size)")
    self.crop = crop
    self.size = size
    inputHeight = height
    inputWidth = width
    axis = AxisResampler(inputs: crop, outputs: size, filter: filter)
    rows = [UInt8](repeating: 0, count: crop * size * 3)
    sums = [Int32](repeating: 0, count: size * 3)
  }

  /// Whether it was made for pictures of this size.
  func fits(_ image: DecodedImage) -> Bool {
    (image.height, image.width) == (inputHeight, inputWidth)
  }

  /// Shapes: `[height, width, 3]` → `[size, size, 3]`, written to `target`.
  package mutating func resize(_ image: DecodedImage, into target: UnsafeMutablePointer<UInt8>) {
    require(fits(image) && image.channels == 3, "Resampler: another size or no colours")
    let (top, left) = ((inputHeight - crop) / 2, (inputWidth - crop) / 2)
    let (axis, crop, size, inputWidth) = (axis, crop, size, inputWidth)
    image.pixels.withUnsafeBufferPointer { pixels in
      axis.starts.withUnsafeBufferPointer { starts in
        axis.weights.withUnsafeBufferPointer { weights in
          rows.withUnsafeMutableBufferPointer { rows in
            for row in 0..<crop {
              axis.shrinkRow(
                pixels.baseAddress! + 3 * ((top + row) * inputWidth + left),
                to: rows.baseAddress! + row * size * 3, starts.baseAddress!, weights.baseAddress!)
            }
          }
        }
      }
    }
    shrinkColumns(into: target)
  }

  /// Weighted means of whole rows.
  private mutating func shrinkColumns(into target: UnsafeMutablePointer<UInt8>) {
    let width = size * 3
    let axis = axis
    let size = size
    rows.withUnsafeBufferPointer { rows in
      sums.withUnsafeMutableBufferPointer { sums in
        let sum = sums.baseAddress!
        for output in 0..<size {
          for place in 0..<width { sum[place] = 1 << (AxisResampler.bits - 1) }
          for tap in 0..<axis.counts[output] {
            let weight = axis.weights[output * axis.taps + tap]
            let row = rows.baseAddress! + (axis.starts[output] + tap) * width
            for place in 0..<width { sum[place] &+= weight &* Int32(row[place]) }
          }
          let line = target + output * width
          for place in 0..<width { line[place] = level(sum[place]) }
        }
      }
    }
  }
}

extension AxisResampler {
  /// Weighted means along a row of `inputs` pixels, `[inputs, 3]` → `[outputs, 3]`.
  @inline(__always)
  fileprivate func shrinkRow(
    _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>,
    _ starts: UnsafePointer<Int>, _ weights: UnsafePointer<Int32>
  ) {
    for column in 0..<outputs {
      let half: Int32 = 1 << (AxisResampler.bits - 1)
      var (red, green, blue) = (half, half, half)
      var pixel = source + 3 * starts[column]
      let row = weights + column * taps
      for tap in 0..<counts[column] {
        let weight = row[tap]
        red &+= weight &* Int32(pixel[0])
        green &+= weight &* Int32(pixel[1])
        blue &+= weight &* Int32(pixel[2])
        pixel += 3
      }
      target[3 * column] = level(red)
      target[3 * column + 1] = level(green)
      target[3 * column + 2] = level(blue)
    }
  }
}

/// A sum of weights times levels, half a level already added, as a level: cut to 0 ... 255.
@inline(__always)
private func level(_ sum: Int32) -> UInt8 {
  UInt8(truncatingIfNeeded: max(0, min(255, sum >> AxisResampler.bits)))
}

/// How the images of a packed file were made from pictures.
public struct Preparation: Hashable, Sendable, Codable {
  /// Side of the square images.
  public var size: Int
  /// Side of the centred square that is kept before resizing; nil for the largest that a picture
  /// has.
  public var crop: Int?
  /// The resizing filter.
  public var filter: ResizeFilter

  public init(size: Int = 64, crop: Int? = nil, filter: ResizeFilter = .bilinear) {
    require(size > 0 && crop ?? 1 > 0, "Preparation: size \(size), crop \(crop ?? 0)")
    self.size = size
    self.crop = crop
    self.filter = filter
  }

  /// Whether sizes are those that commands accept, as a file may say anything.
  var isPossible: Bool { (1...4096).contains(size) && (1...4096).contains(crop ?? 1) }

  /// The shape of the images.
  public var shape: ImageShape { ImageShape(height: size, width: size, channels: 3) }
}

/// Makes images from the bytes of picture files; one for each thread.
package struct ImagePreparer {
  private let preparation: Preparation
  private let requirement: ImageRequirement
  private let decoder = ImageDecoder()
  private var resampler: Resampler?

  package init(_ preparation: Preparation, requiring requirement: ImageRequirement) {
    self.preparation = preparation
    self.requirement = requirement
  }

  /// Decodes, crops and resizes: `[size, size, 3]`.
  ///
  /// - Throws: `FileError` (damaged) if the bytes are no intact picture of the kind that is
  ///   required, or the picture is smaller than the crop.
  package mutating func image(_ bytes: UnsafeRawBufferPointer, of path: FilePath)
    throws(FileError) -> [UInt8]
  {
    let decoded = try decoder.decode(bytes, of: path, requiring: requirement).inColour
    let crop = preparation.crop ?? min(decoded.height, decoded.width)
    guard crop <= min(decoded.height, decoded.width) else {
      throw FileError(
        .damaged, "image size", path: path, expected: "at least \(crop) rows and columns",
        found: "\(decoded.height) rows of \(decoded.width)")
    }
    if resampler?.fits(decoded) != true {
      resampler = Resampler(
        height: decoded.height, width: decoded.width, crop: crop, size: preparation.size,
        filter: preparation.filter)
    }
    return [UInt8](unsafeUninitializedCapacity: preparation.shape.count) {
      resampler!.resize(decoded, into: $0.baseAddress!)
      $1 = $0.count
    }
  }
}
