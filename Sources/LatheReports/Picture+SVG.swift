import Foundation
import LatheFiles
import SystemPackage

extension Picture {
  /// Writes the picture as SVG, its pixels embedded as PNG, with a title as text above; whole or
  /// not at all.
  ///
  /// - Throws: `FileError` if libpng refuses it or the file cannot be written.
  public func writeSVG(title: String? = nil, to path: FilePath) throws(FileError) {
    let data = Data(try encoded(for: path)).base64EncodedString()
    let header = title == nil ? 0 : 24
    let text =
      title.map { escapedForXML($0.printable) }.map {
        """
          <title>\($0)</title>
          <text x="4" y="17" font-family="sans-serif" font-size="14">\($0)</text>

        """
      } ?? ""
    let svg = """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height + header)" \
      viewBox="0 0 \(width) \(height + header)">
        <rect width="100%" height="100%" fill="white"/>
      \(text)  <image x="0" y="\(header)" width="\(width)" height="\(height)" \
      style="image-rendering:pixelated" href="data:image/png;base64,\(data)"/>
      </svg>

      """
    try FileSystem.replace(path, with: svg, isSynced: false)
  }
}

/// Printable text as the content of an element of XML or HTML, or of an attribute in quotes.
func escapedForXML(_ text: String) -> String {
  text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
}
