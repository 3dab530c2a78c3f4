// Section 4.4.17 and appendix D of the format: a name is UTF-8 if bit 11 of its flags says so, or
// if the extra field 0x7075 holds it; else it is code page 437. Apple's programs write UTF-8 and
// set no bit, so what is UTF-8 counts as that.

/// The name of an entry, with slashes between folders: some programs write backslashes.
func zipName(_ bytes: [UInt8], isUTF8: Bool, _ extra: ZipExtraFields) -> String {
  let text =
    unicodePath(bytes, extra) ?? String(validating: bytes, as: UTF8.self)
    ?? String(String.UnicodeScalarView(bytes.map(codePage437)))
  guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
  let slashed = text.utf8.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 }
  return String(decoding: slashed, as: UTF8.self)
}

/// What the Unicode path extra field says: a version of 1, CRC-32 of the name that it belongs to,
/// the name.
private func unicodePath(_ name: [UInt8], _ extra: ZipExtraFields) -> String? {
  guard let field = extra[0x7075].first, field.count > 5, field[0] == 1 else { return nil }
  let checksum = field[1..<5].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  guard checksum == Checksum(of: name).value else { return nil }
  return String(validating: field[5...], as: UTF8.self)
}

private func codePage437(_ byte: UInt8) -> Unicode.Scalar {
  byte < 0x80 ? Unicode.Scalar(byte) : upperHalf[Int(byte) - 0x80]
}

private let upperHalf = Array(
  ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}").unicodeScalars)
