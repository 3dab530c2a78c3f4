import LatheFiles

/// Yes-or-no attributes of images.
public struct ImageAttributes: Sendable {
  /// The names of the attributes.
  public let names: [String]
  /// A bit each from the lowest, `[images, bytes of an image]`.
  private let bits: [UInt8]
  private let width: Int

  package init(names: [String], bits: [UInt8]) {
    self.names = names
    self.bits = bits
    width = ImageListing.bytesPerRow(attributes: names.count)
  }

  /// Whether an image has an attribute, both by number.
  public subscript(image: Int, attribute: Int) -> Bool {
    require(attribute >= 0 && attribute < names.count, "ImageAttributes: number \(attribute)")
    return bits[image * width + attribute / 8] >> (attribute % 8) & 1 == 1
  }

  /// Those of images by number.
  func part(_ images: [Int]) -> ImageAttributes {
    let bytes = images.flatMap { bits[$0 * width..<($0 + 1) * width] }
    return ImageAttributes(names: names, bits: bytes)
  }

  /// The number of images that have an attribute.
  public func count(of attribute: Int) -> Int {
    (0..<bits.count / width).count { self[$0, attribute] }
  }
}
