import Foundation
import TestSupport
import Testing

/// What shells are offered for words of the command line.
@Suite struct CompletionTests {
  /// The words that bash is offered after `words`, the last of which is being typed.
  private func offered(_ words: [String], in folder: String) throws -> [String] {
    let script = """
      cd "$0"
      lathe=$1
      shift
      source <("$lathe" --generate-completion-script bash)
      PATH=${lathe%/*}:$PATH
      COMP_WORDS=(lathe "$@") COMP_CWORD=$#
      COMP_LINE="lathe $*" COMP_POINT=${#COMP_LINE}
      compopt() { :; }
      _lathe lathe "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let result = try runProcess(
      "bash", ["-c", script, folder, try builtExecutable("lathe")] + words, timeout: 60)
    #expect(result.status == 0, "\(result)")
    return result.output.split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  @Test func bashKnowsModelsDataSetsRecipesAndRuns() throws {
    try withFolder { folder in
      for run in ["runs/first", "runs/second", "elsewhere/third"] {
        let path = "\(folder)/\(run)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: "\(path)/config.yml"))
      }
      try Data().write(to: URL(fileURLWithPath: "\(folder)/mine.yml"))
      #expect(try offered(["train", "flex"], in: folder) == ["flexae"])
      #expect(try offered(["train", "vae", "cel"], in: folder) == ["celeba"])
      #expect(try offered(["train", "--recipe", "mi"], in: folder) == ["mine.yml"])
      #expect(try offered(["train", "--schedule", "cos"], in: folder) == ["cosine"])
      #expect(try offered(["sample", "ru"], in: folder) == ["runs/first", "runs/second"])
      #expect(try offered(["sample", "elsewhere/"], in: folder) == ["elsewhere/third"])
      #expect(try offered(["models", "flexa"], in: folder) == ["flexae"])
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func aScriptForEachShell(_ shell: String) throws {
    let result = try runProcess(
      builtExecutable("lathe"), ["--generate-completion-script", shell], timeout: 60)
    #expect(result.status == 0 && result.output.contains("---completion"), "\(result)")
  }
}
