import Testing

/// The field's own words stand in the code: these were invented, and have gone.
@Suite struct VocabularyTests {
  /// Each with the bytes that a line must have before its regular expression is tried.
  private static var gone: [(part: StaticString, word: Regex<Substring>, instead: String)] {
    [
      ("matrixProduct", #/\bmatrixProduct\b/#, "gemm"), ("convolve", #/\bconvolve\b/#, "conv2d"),
      ("convolveTransposed", #/\bconvolveTransposed\b/#, "convTranspose2d"),
      ("moveBuffers", #/\bmoveBuffers\b/#, "updateRunningStatistics"),
      ("startingShare", #/\bstartingShare\b/#, "biasCorrection"),
      ("staircase", #/\bstaircase\b/#, "stepDecay"),
      ("minimal filtering", #/\bminimal filtering\b/#, "Winograd convolution"),
      ("shared multiplications", #/\bshared multiplications\b/#, "Winograd convolution"),
      ("by chance", #/\bby chance\b/#, "randomly"), ("anew", #/\banew\b/#, "again"),
      ("made image", #/\bmade images?\b/#, "generated images"),
      ("divergence", #/\bdivergence_?from/#, "KL"),
      ("usual sampler", #/\busual sampler\b/#, "default sampler"),
      ("SliceMeeting", #/\bSliceMeeting\b/#, "global statistics"),
      ("SliceTurns", #/\bSliceTurns\b/#, "global statistics"),
    ]
  }

  @Test func inventedWordsAreGone() throws {
    let gone = Self.gone
    let files = try ["Sources", "Examples"].flatMap(SourceFiles.all)
    let found = files.flatMap { Self.inventedWords($0.lines, of: $0.path, gone) }
    #expect(found == [])
  }

  @Test func anInventedWordIsFound() {
    let lines: [Substring] = ["let y = gemm(x)", "/// Drawn by chance."]
    #expect(Self.inventedWords(lines, of: "a.swift") == ["a.swift:2: write 'randomly'"])
  }

  private static func inventedWords(
    _ lines: [Substring], of path: String,
    _ gone: [(part: StaticString, word: Regex<Substring>, instead: String)] = gone
  ) -> [String] {
    lines.enumerated().flatMap { number, line in
      gone.filter { line.has($0.part) && line.contains($0.word) }
        .map { "\(path):\(number + 1): write '\($0.instead)'" }
    }
  }
}

extension Substring {
  /// Whether the bytes of `part` stand in the line.
  fileprivate func has(_ part: StaticString) -> Bool {
    var line = self
    let wanted = UnsafeBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount)
    return line.withUTF8 { $0.contains(wanted) }
  }
}
