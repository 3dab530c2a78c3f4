/// What the first bytes of a file say it is, where it is not what was expected: an HTML page with
/// its title, a Git LFS pointer, another archive or picture. Nil if they say nothing known.
package func contentKind(_ start: [UInt8]) -> String? {
  if start.isEmpty { return "an empty file" }
  if start.count >= 16, start.allSatisfy({ $0 == 0 }) { return "zeros" }
  if let page = htmlPage(start) { return page }
  let signatures: [(String, [UInt8])] = [
    ("a Git LFS pointer, not the file itself", Array("version https://git-lfs".utf8)),
    ("an XML document, as servers answer with", Array("<?xml".utf8)),
    ("a packed file of lathe", Array("LATHEIMG".utf8)), ("a zip archive", Array("PK".utf8)),
    ("a gzip file", [0x1f, 0x8b]), ("a RAR archive", Array("Rar!".utf8)),
    ("a 7z archive", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
    ("an xz file", [0xfd, 0x37, 0x7a, 0x58, 0x5a]), ("a bzip2 file", Array("BZh".utf8)),
    ("a Zstandard file", [0x28, 0xb5, 0x2f, 0xfd]), ("a PDF", Array("%PDF".utf8)),
    ("a JPEG", [0xff, 0xd8, 0xff]), ("a PNG", [0x89, 0x50, 0x4e, 0x47]),
  ]
  if let known = signatures.first(where: { start.starts(with: $0.1) }) { return known.0 }
  if start.count > 262, start[257...].starts(with: Array("ustar".utf8)) { return "a tar archive" }
  return nil
}

/// A page that a server gave in the place of a file, such as Google Drive's on a quota.
private func htmlPage(_ start: [UInt8]) -> String? {
  let text = String(decoding: start.prefix(2048), as: UTF8.self)
  let lower = text.lowercased()
  guard let first = lower.first(where: { !$0.isWhitespace }), first == "<" || first == "\u{feff}",
    lower.contains("<!doctype html") || lower.contains("<html") || lower.contains("<head")
  else { return nil }
  guard let open = lower.firstRange(of: "<title>"),
    let close = lower[open.upperBound...].firstRange(of: "</title>")
  else { return "an HTML page" }
  let title = lower[open.upperBound..<close.lowerBound].prefix(80)
  // Lower case may have another length, so the title is found again by its distance.
  let begin = lower.distance(from: lower.startIndex, to: open.upperBound)
  let own = String(text.dropFirst(begin).prefix(title.count)).printable
  return "an HTML page, \"\(own)\""
}
