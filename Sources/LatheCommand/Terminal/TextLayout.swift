import LatheFiles

/// Text broken between words into lines of at most `width` columns; further lines are indented.
func wrapped(_ text: String, width: Int = 80, indent: Int = 4) -> String {
  var lines: [String] = []
  var line = ""
  for word in text.printable.split(separator: " ") {
    if !line.isEmpty, line.count + 1 + word.count > width {
      lines.append(line)
      line = String(repeating: " ", count: indent) + word
    } else {
      line += (line.isEmpty ? "" : " ") + word
    }
  }
  return (lines + [line]).joined(separator: "\n")
}

/// A line of a listing, `name` and then `text` in a column of its own, within 80 columns.
func listed(_ name: String, _ text: String, column: Int = 16) -> String {
  let lines = wrapped(text, width: 80 - column, indent: 0)
  let indent = String(repeating: " ", count: column)
  return name.printable.padding(toLength: max(column, name.count + 1), withPad: " ", startingAt: 0)
    + lines.replacing("\n", with: "\n" + indent)
}
