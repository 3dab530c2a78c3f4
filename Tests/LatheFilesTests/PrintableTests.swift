import LatheFiles
import Testing

@Suite struct PrintableTests {
  @Test func controlCharactersBecomeSigns() {
    #expect("a\u{1B}[31mb\u{7}\u{0}".printable == "a␛[31mb␇␀")
    #expect("a\r\nb\tc\u{7F}".printable == "a␍␊b␉c␡")
    #expect(
      "a\u{9B}b\u{202E}c\u{2028}d\u{FFFF}".printable == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}")
  }

  /// A line feed after a carriage return is one `Character` with it.
  @Test func lineFeedsStayOnlyInLines() {
    #expect("a\nb\r\nc".printableLines == "a\nb␍\nc")
    #expect("a\nb".printable == "a␊b")
  }

  @Test func textStaysAsItIs() {
    for text in ["", "Zürich", "e\u{301}", "日本語", "👩‍🔬", "a \"b\" 'c' `d` $(e) \\ %"] {
      #expect(Array(text.printable.utf8) == Array(text.utf8))
    }
  }
}
