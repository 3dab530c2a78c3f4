import LatheFiles
import Testing

@Suite struct PrintableTests {
  @Test func controlCharactersAreWritten() {
    #expect("a\u{1B}[31mb\u{7}\u{0}".printable == "a\\u{1b}[31mb\\u{7}\\u{0}")
    #expect("a\r\nb\tc\u{7F}".printable == "a\\u{d}\\u{a}b\\u{9}c\\u{7f}")
    #expect(
      "a\u{9B}b\u{202E}c\u{2028}d\u{FFFF}".printable == "a\\u{9b}b\\u{202e}c\\u{2028}d\\u{ffff}")
  }

  /// A line feed after a carriage return is one `Character` with it.
  @Test func lineFeedsStayOnlyInLines() {
    #expect("a\nb\r\nc".printableLines == "a\nb\\u{d}\nc")
    #expect("a\nb".printable == "a\\u{a}b")
  }

  @Test func textStaysAsItIs() {
    for text in ["", "Zürich", "e\u{301}", "日本語", "👩‍🔬", "a \"b\" 'c' `d` $(e) \\ %"] {
      #expect(Array(text.printable.utf8) == Array(text.utf8))
    }
  }
}
