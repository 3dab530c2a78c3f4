import LatheFiles
import SystemPackage

/// A picture as a file holds it.
package struct DecodedImage: Equatable, Sendable {
  package let height: Int
  package let width: Int
  /// 1 for grey, 3 for red, green, blue.
  package let channels: Int
  /// `[height, width, channels]`.
  package let pixels: [UInt8]

  /// The maximum number of pixels that are decoded, so that a damaged header cannot ask for all
  /// memory.
  package static let maximumPixels = 1 << 26
  /// The maximum number of rows and of columns.
  package static let maximumSide = 1 << 16

  package init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    require(
      pixels.count == height * width * channels,
      "DecodedImage: \(pixels.count) values for \(height) × \(width) × \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
  }

  /// The picture with grey shown as equal red, green and blue.
  var inColour: DecodedImage {
    if channels == 3 { return self }
    let colours = [UInt8](unsafeUninitializedCapacity: 3 * pixels.count) { target, count in
      for (place, level) in pixels.enumerated() {
        for channel in 0..<3 { target[3 * place + channel] = level }
      }
      count = 3 * pixels.count
    }
    return DecodedImage(height: height, width: width, channels: 3, pixels: colours)
  }
}

/// What images of a data set have in common.
package struct ImageRequirement: Sendable {
  /// Rows and columns of each; nil if any will do.
  package var size: (height: Int, width: Int)?
  /// Whether grey pictures are refused rather than shown in colour.
  package var refusesGrey = false
  /// The maximum number of pixels that are decoded.
  package var maximumPixels = DecodedImage.maximumPixels

  package init() {}

  /// For a picture of so many rows and columns as stored.
  func check(
    height: Int, width: Int, in orientation: Orientation, isGrey: Bool, of path: FilePath
  ) throws(FileError) {
    let (height, width) = orientation.swapsAxes ? (width, height) : (height, width)
    if let size, size != (height, width) {
      throw FileError(
        .damaged, "image size", path: path,
        expected: "\(size.height) rows of \(size.width) pixels",
        found: "\(height) rows of \(width)")
    }
    guard height > 0, width > 0, height <= maximumPixels / width else {
      throw FileError(
        .damaged, "image size", path: path, expected: "1 to \(maximumPixels) pixels",
        found: "\(height) rows of \(width)")
    }
    guard max(height, width) <= DecodedImage.maximumSide else {
      throw FileError(
        .damaged, "image size", path: path,
        expected: "at most \(DecodedImage.maximumSide) rows and columns",
        found: "\(height) rows of \(width)")
    }
    if isGrey && refusesGrey {
      throw FileError(
        .damaged, "colours", path: path, expected: "red, green, blue", found: "grey")
    }
  }
}

/// Decodes JPEG and PNG files.
///
/// The levels are those that the file stores, in the orientation that its EXIF block says: alpha is
/// dropped, gamma and colour profiles are not applied.
package struct ImageDecoder {
  /// The maximum size of a picture's file in bytes.
  package static let maximumFileSize = 1 << 27

  /// Another number for other levels of the same file, so that packed files made before are not
  /// taken for new ones.
  static let version = 2

  package init() {}

  /// Refuses a file before it is read.
  static func check(size: Int, of path: FilePath) throws(FileError) {
    if size > maximumFileSize {
      throw FileError(
        .damaged, "image", path: path, expected: "at most \(maximumFileSize) bytes",
        found: "\(size)")
    }
  }

  /// The picture in a file's bytes, told by how they begin.
  ///
  /// - Throws: `FileError` (damaged) if they are no intact JPEG or PNG, or not what is required.
  package func decode(
    _ bytes: UnsafeRawBufferPointer, of path: FilePath, requiring requirement: ImageRequirement
  ) throws(FileError) -> DecodedImage {
    if bytes.starts(with: [0xff, 0xd8]) {
      return try JPEGDecoder().decode(bytes, of: path, requiring: requirement)
    }
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      return try decodePNG(bytes, of: path, requiring: requirement)
    }
    throw FileError(
      .damaged, "image", path: path, offset: 0, expected: "a JPEG or PNG picture",
      found: PictureKind.name(of: bytes))
  }
}
