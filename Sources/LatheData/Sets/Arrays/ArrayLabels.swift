import LatheFiles

/// The labels of all parts of an array file.
struct ArrayLabels: Sendable {
  /// Of each array of images, by its name.
  private var labels: [String: [UInt8]] = [:]
  /// Numbers, as names; empty without labels.
  private(set) var classNames: [String] = []
  /// Why there are none.
  private(set) var note: String?

  /// The most classes that an image set tells apart.
  private static let mostClasses = 256

  /// - Throws: `FileError` (damaged) for labels that are no whole numbers, one for each image.
  init(_ parts: ArrayParts, _ file: NumPyFile) throws(FileError) {
    var found: [String: [Int]] = [:]
    for part in parts.parts.values {
      guard let name = part.labels else { continue }
      let (values, shape) = try file.integers(name)
      let count = try file.header(part.images).shape.first ?? 0
      guard shape == [count] || shape == [count, 1] else {
        throw FileError(
          .damaged, "labels", path: file.path(of: name), expected: "[\(count)], one for each image",
          found: "\(shape)")
      }
      found[part.images] = values
    }
    let all = found.values.joined()
    guard let lowest = all.min(), let highest = all.max() else { return }
    guard lowest >= 0, highest < Self.mostClasses, found.count == parts.parts.count else {
      note =
        found.count < parts.parts.count
        ? "labels of some parts only are not read"
        : "labels from \(lowest) to \(highest) are not read: at most 0 to \(Self.mostClasses - 1)"
      return
    }
    labels = found.mapValues { $0.map { UInt8($0) } }
    classNames = (0...highest).map(String.init)
  }

  /// Zeros without any.
  func labels(of images: String, count: Int) -> [UInt8] {
    labels[images] ?? [UInt8](repeating: 0, count: count)
  }
}
