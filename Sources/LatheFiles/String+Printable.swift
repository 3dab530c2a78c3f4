extension String {
  /// The text with a sign in the place of each scalar that a terminal, a script or XML could take
  /// for more than text: names in data files and paths are other people's.
  ///
  /// Concretely, ␛ and its like for the control characters of ASCII, U+FFFD for those of Latin-1,
  /// for line separators, for marks that turn the direction of writing, and for what XML forbids.
  package var printable: String { printable { _ in false } }

  /// The same, with line feeds left as they are.
  package var printableLines: String { printable { $0 == "\n" } }

  private func printable(except isKept: (Unicode.Scalar) -> Bool) -> String {
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars { text.append(isKept(scalar) ? scalar : scalar.sign) }
    return String(text)
  }
}

extension Unicode.Scalar {
  /// Itself, or the sign that stands for it.
  fileprivate var sign: Unicode.Scalar {
    switch value {
    case 0..<0x20: Unicode.Scalar(0x2400 + value)!
    case 0x7F: "\u{2421}"
    case 0x80..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF: "\u{FFFD}"
    default: self
    }
  }
}
