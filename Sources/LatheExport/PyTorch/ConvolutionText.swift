import LatheKernels

/// What PyTorch says of a convolution: equal zeros on both sides, others before it, pixels that are
/// cut off behind.
struct ConvolutionText {
  let layer, function, channels: String
  private let rows, columns: WindowAxis
  private let isTransposed: Bool

  init(_ g: ConvolutionGeometry) {
    (layer, function) = ("Conv2d", "F.conv2d")
    channels = "\(g.inputChannels), \(g.outputChannels)"
    (rows, columns) = (WindowAxis(rowsOf: g), WindowAxis(columnsOf: g))
    isTransposed = false
  }

  init(transposed g: ConvolutionGeometry) {
    (layer, function) = ("ConvTranspose2d", "F.conv_transpose2d")
    channels = "\(g.outputChannels), \(g.inputChannels)"
    (rows, columns) = (WindowAxis(rowsOf: g), WindowAxis(columnsOf: g))
    isTransposed = true
  }

  /// Kernel, stride, padding.
  var options: String { Self.pair(rows.kernel, columns.kernel) + ", " + strides }

  var strides: String {
    var parts = ["stride=" + Self.pair(rows.stride, columns.stride)]
    if !isPadded { parts.append("padding=" + Self.pair(rows.before, columns.before)) }
    let added = (rows.outputPadding, columns.outputPadding)
    if isTransposed, added != (0, 0) {
      parts.append("output_padding=" + Self.pair(added.0, added.1))
    }
    return parts.joined(separator: ", ")
  }

  /// Whether the zeros before the image and those behind it differ.
  private var isPadded: Bool { !isTransposed && !(rows.isSymmetric && columns.isSymmetric) }

  /// The input with its zeros, where they differ.
  func padded(_ x: String) -> String {
    guard isPadded else { return x }
    return "F.pad(\(x), (\(columns.before), \(columns.after), \(rows.before), \(rows.after)))"
  }

  /// What is left of the output, where there is too much.
  var crop: String {
    guard isTransposed, rows.isCut || columns.isCut else { return "" }
    return "[:, :, :\(rows.size), :\(columns.size)]"
  }

  private static func pair(_ a: Int, _ b: Int) -> String { a == b ? "\(a)" : "(\(a), \(b))" }
}

extension WindowAxis {
  /// Pixels of a transposed convolution that PyTorch, which crops as much behind as before, adds
  /// again.
  fileprivate var outputPadding: Int { max(before - cropped + added, 0) }

  /// Whether more is cropped behind than before.
  fileprivate var isCut: Bool { cropped > before }
}
