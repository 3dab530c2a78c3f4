import LatheFiles

extension ImageSet {
  /// The images of a range as a set of another split, such as the end of the training images for
  /// validation.
  public func part(_ range: Range<Int>, as split: Split) -> ImageSet {
    require(
      !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count,
      "ImageSet \(name): images \(range) of \(count)")
    let values = range.lowerBound * shape.count..<range.upperBound * shape.count
    return ImageSet(
      name: name, split: split, shape: shape, pixels: pixels.part(values),
      labels: Array(labels[range]), classNames: classNames, attributes: attributes?.part(range),
      identities: identities.map { Array($0[range]) }, digest: digest(of: range))
  }

  private func digest(of range: Range<Int>) -> String {
    var checksum = Self.startOfDigest(shape)
    for image in range { withImage(image) { checksum.update(UnsafeRawBufferPointer($0)) } }
    checksum.update(Array(labels[range]))
    return checksum.hexadecimal
  }
}

extension ImageSet.Pixels {
  fileprivate func part(_ range: Range<Int>) -> ImageSet.Pixels {
    switch self {
    case .memory(let values): .memory(Array(values[range]))
    case .mapped(let file, let start): .mapped(file, start: start + range.lowerBound)
    }
  }
}
