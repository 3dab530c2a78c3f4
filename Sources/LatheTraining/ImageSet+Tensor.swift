import LatheFiles
import LatheData
import LatheTensors

extension ImageSet {
  /// Images by number, `[n, height, width, channels]` in [0, 1].
  public func tensor(_ numbers: some Collection<Int>) -> Tensor {
    Tensor(shape: [numbers.count, shape.height, shape.width, shape.channels]) { pointer in
      for (place, index) in numbers.enumerated() {
        copyValues(of: index, to: pointer + place * shape.count)
      }
    }
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
