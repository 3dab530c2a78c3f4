import LatheFiles
import LatheData
import LatheTensors

extension ImageSet {
  /// Numbers of an image's label: classes, or attributes where there are no classes; 0 for images
  /// without either.
  public var labelSize: Int {
    classNames.count > 1 ? classNames.count : attributes?.names.count ?? 0
  }

  /// What the numbers of a label stand for.
  public var labelNames: [String] {
    classNames.count > 1 ? classNames : attributes?.names ?? []
  }

  /// The label of an image, `[labelSize]`: 1 for its class or for each attribute that it has, 0 for
  /// the others.
  public func label(of image: Int) -> [Float] {
    (0..<labelSize).map { place in
      classNames.count > 1
        ? (Int(labels[image]) == place ? 1 : 0) : (attributes![image, place] ? 1 : 0)
    }
  }

  /// The labels of images by number, `[n, labelSize]`; nil for images without.
  func labelTensor(_ numbers: some Collection<Int>) -> Tensor? {
    guard labelSize > 0 else { return nil }
    return Tensor(numbers.flatMap { label(of: $0) }, shape: [numbers.count, labelSize])
  }

  /// Images by number, `[n, height, width, channels]` in [0, 1], with their labels.
  public func tensor(_ numbers: some Collection<Int>) -> Tensor {
    Tensor(shape: [numbers.count, shape.height, shape.width, shape.channels]) { pointer in
      for (place, index) in numbers.enumerated() {
        copyValues(of: index, to: pointer + place * shape.count)
      }
    }.labelled(labelTensor(numbers))
  }
}

extension PictureFiles {
  /// Pictures of a range, `[n, height, width, 3]` in [0, 1].
  ///
  /// - Throws: `FileError` (damaged) if one cannot be read or has another size than the first.
  public func tensor(_ range: Range<Int>) throws(FileError) -> Tensor {
    var images: [[UInt8]] = []
    for index in range { images.append(try bytes(of: index)) }
    return Tensor(shape: [range.count, shape.height, shape.width, shape.channels]) { pointer in
      for (place, image) in images.enumerated() {
        image.withUnsafeBufferPointer {
          convertPixels($0.baseAddress!, to: pointer + place * shape.count, count: $0.count)
        }
      }
    }
  }
}
