import Testing

/// The field's own words stand in the code: these were invented, and have gone.
@Suite struct VocabularyTests {
  private static var gone: [(word: Regex<Substring>, instead: String)] {
    [
      (#/\bmatrixProduct\b/#, "gemm"), (#/\bconvolve\b/#, "conv2d"),
      (#/\bconvolveTransposed\b/#, "convTranspose2d"),
      (#/\bmoveBuffers\b/#, "updateRunningStatistics"),
      (#/\bstartingShare\b/#, "biasCorrection"), (#/\bstaircase\b/#, "stepDecay"),
      (#/\bminimal filtering\b/#, "Winograd convolution"),
      (#/\bshared multiplications\b/#, "Winograd convolution"),
      (#/\bby chance\b/#, "randomly"), (#/\banew\b/#, "again"),
      (#/\bmade images?\b/#, "generated images"), (#/\bdivergence_?from/#, "KL"),
      (#/\busual sampler\b/#, "default sampler"),
      (#/\bSlice(?:Meeting|Turns)\b/#, "global statistics"),
    ]
  }

  @Test func inventedWordsAreGone() throws {
    let files = try ["Sources", "Examples"].flatMap(SourceFiles.all)
    let found = files.flatMap { Self.inventedWords($0.lines, of: $0.path) }
    #expect(found == [])
  }

  @Test func anInventedWordIsFound() {
    let lines: [Substring] = ["let y = gemm(x)", "/// Drawn by chance."]
    #expect(Self.inventedWords(lines, of: "a.swift") == ["a.swift:2: write 'randomly'"])
  }

  private static func inventedWords(_ lines: [Substring], of path: String) -> [String] {
    lines.enumerated().flatMap { number, line in
      gone.filter { line.contains($0.word) }.map { "\(path):\(number + 1): write '\($0.instead)'" }
    }
  }
}
