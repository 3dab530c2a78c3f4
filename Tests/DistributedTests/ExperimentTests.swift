import Foundation
import TestSupport
import Testing

/// Grids of runs: what stops goes on, on other ranks, to the same numbers.
@Suite struct ExperimentTests {
  private func experiment(_ arguments: [String]) throws -> ProcessResult {
    try runProcess(try builtExecutable("lathe"), ["experiment"] + arguments, timeout: 120)
  }

  private let settings = """
    title: A sweep
    settings:
      steps: 400
      batch: 16
      slices: 2
      metrics: [error]
      samples: 50
      preview-every: 0
      checkpoint-every: 100
      configuration: {networks: mlp, hiddenSize: 8}
    report:
      - table: Errors
        rows: latentSize
        columns: seed
        scores: [reconstruction/error]
        published: {reconstruction/error: {2: {0: 0.1}, 3: {0: 0.05}}}
      - chart: Error by latent size
        x: latentSize
        scores: [reconstruction/error]
      - curves: Error while training
        log: preview/error
      - pictures: Reconstructions
        command: [reconstruct, --count, "4"]
        cells: {latentSize: [3], seed: [0]}
      - pictures: Side by side
        command: [reconstruct, --count, "4"]
        together: latentSize
        caption: A row for each latent size.

    """

  private func write(_ grid: String, to path: String) throws {
    try (settings + grid).write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Stopped after a moment, gone on with on two ranks: the scores of one that ran through.
  @Test func whatStopsGoesOnToTheSameScores() throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      try write(
        "grid: {dataset: [synthetic], model: [vae], latentSize: [2, 3], seed: [0]}\n", to: file)
      let whole = try experiment(["run", file, "--scale", "common", "--out", "\(folder)/a"])
      #expect(whole.status == 0, "\(whole)")
      #expect(whole.output.contains("2 of 2 trained and evaluated"))
      let parts = ["run", file, "--scale", "common", "--out", "\(folder)/b", "--ranks", "2"]
      let stopped = try experiment(parts + ["--minutes", "0.02"])
      #expect(stopped.status == 75, "\(stopped)")
      #expect(stopped.errorOutput.contains("stopped by --minutes; the same command continues"))
      #expect(try experiment(parts + ["--task", "2/2"]).status == 0)
      #expect(try experiment(parts).output.contains("2 of 2 trained and evaluated"))
      let reports = try ["a", "b"].map { name in
        let result = try experiment(["report", "\(folder)/\(name)"])
        #expect(result.status == 0, "\(result)")
        return try String(contentsOfFile: "\(folder)/\(name)/report.csv", encoding: .utf8)
      }
      #expect(reports[0] == reports[1])
      // Commands that are only printed do not change what a report looks for.
      let printed = try experiment(parts + ["--samples", "7", "--print"])
      #expect(printed.status == 0 && printed.output.contains("train"), "\(printed)")
      #expect(try experiment(["report", "\(folder)/b"]).status == 0)
      let unchanged = try String(contentsOfFile: "\(folder)/b/report.csv", encoding: .utf8)
      #expect(unchanged == reports[1])
      #expect(reports[0].split(separator: "\n").count == 3)
      let page = try String(contentsOfFile: "\(folder)/a/report.html", encoding: .utf8)
      let sheet = "vae, seed=0: latentSize=2, latentSize=3. A row for each latent size."
      for words in ["0, reconstruction/error, published", "data:image/png", "Kendall", sheet] {
        #expect(page.contains(words), "\(words)")
      }
      // Nothing is made twice; a picture is, once what it shows is newer.
      let sheets = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/b/figures")
        .map { "\(folder)/b/figures/\($0)" }
      func drawn() throws -> [Date?] {
        try sheets.map {
          try FileManager.default.attributesOfItem(atPath: $0)[.modificationDate] as? Date
        }
      }
      let first = try drawn()
      let again = try experiment(parts)
      #expect(again.status == 0 && !again.output.contains("done"))
      #expect(try first.count == 1 && drawn() == first)
      // The same settings on other axes are the same run.
      let other = "\(folder)/other.yml"
      try write(
        "grid: {dataset: [synthetic], model: [vae], hiddenSize: [8], latentSize: [2], seed: [0]}\n",
        to: other)
      let shared = try experiment(["run", other, "--scale", "common", "--out", "\(folder)/b"])
      #expect(shared.status == 0 && !shared.output.contains("done, "), "\(shared)")
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: sheets[0])
      #expect(try experiment(parts).status == 0)
      #expect(try drawn()[0]! > first[0]!)
    }
  }

  @Test func aCellThatFailsIsNamedAndTheOthersGoOn() throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      try write("grid: {dataset: [synthetic], model: [vae], latentSize: [-1, 3]}\n", to: file)
      let result = try experiment(["run", file, "--scale", "common", "--out", "\(folder)/a"])
      #expect(result.status == 70, "\(result)")
      #expect(result.errorOutput.contains("failed: vae-synthetic-latentSize=-1"))
      #expect(result.output.contains("1 of 2 trained and evaluated"))
    }
  }

  /// Each has its line when times are measured, and a reason that is known is not said again.
  @Test func cellsThatCannotBeTrainedAreShown() throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      try write(
        "grid: {dataset: [synthetic], model: [vae], latentSize: [-1], seed: [0, 1]}\n", to: file)
      let shown = try experiment(["show", file, "--scale", "common"])
      #expect(shown.output.contains("  vae-synthetic-latentSize=-1: status 65"), "\(shown)")
      let again = "  vae-synthetic-latentSize=-1-seed=1: as vae-synthetic-latentSize=-1 (no"
      #expect(shown.output.contains(again), "\(shown)")
      #expect(shown.output.contains(", without those"), "\(shown)")
    }
  }

  /// Ranks among which a batch cannot be shared out make nothing faster.
  @Test func hoursAreOfRanksThatCellsCanUse() throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      let grid = "grid: {dataset: [synthetic], model: [vae], batch: [12, 20]}\n"
      let long = settings.replacing("  slices: 2\n", with: "").replacing("400", with: "4000000")
      try (long + grid).write(toFile: file, atomically: true, encoding: .utf8)
      func hours(_ scale: String, on counts: String) throws -> String {
        let shown = try experiment(["show", file, "--scale", scale, "--on", counts])
        return shown.output.split { $0.isWhitespace }.joined(separator: " ")
      }
      let own = try hours("published", on: "4,8")
      #expect(own.contains(" on 4 ranks, "), "\(own)")
      #expect(own.contains(" on 8 ranks (of which a cell uses 5 to 6)"), "\(own)")
      // The batch of this scale is in two slices.
      let sliced = try hours("common", on: "2,3")
      let pattern = /all (.+) on 1 rank, (.+) on 2 ranks, (.+) on 3 ranks .of which a cell uses 2./
      let found = try #require(sliced.firstMatch(of: pattern), "\(sliced)")
      #expect(found.1 != found.2 && found.2 == found.3, "\(sliced)")
    }
  }

  /// A name on an axis stands for other settings, which a scale may give otherwise.
  @Test func valuesHaveNames() throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      try write(
        """
        grid: {dataset: [synthetic], model: [flexae], capacity: [none, some], train-images: [100]}
        values:
          capacity: {none: {generatorHidden: []}, some: {generatorHidden: [8], criticSteps: 2}}
        scales:
          common: {values: {capacity: {none: {generatorHidden: [], latentSize: 3, noiseSize: 3}}}}

        """, to: file)
      let shown = try experiment(["show", file, "--scale", "common", "--no-measure"])
      let words = "capacity: none is generatorHidden [], latentSize 3, noiseSize 3; some is"
      #expect(shown.status == 0 && shown.output.contains(words), "\(shown)")
      let result = try experiment(
        ["run", file, "--scale", "common", "--out", "\(folder)/a", "--only", "none", "--print"])
      #expect(result.status == 0, "\(result)")
      let recipes = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a/recipes")
      #expect(recipes.count == 1 && recipes[0].hasPrefix("flexae-synthetic-"))
      let recipe = try String(contentsOfFile: "\(folder)/a/recipes/\(recipes[0])", encoding: .utf8)
      #expect(recipe.contains("train-images: 100") && recipe.contains("noiseSize: 3"), "\(recipe)")
      #expect(!recipe.contains("capacity"))
    }
  }

  @Test func commandsForOtherSchedulersArePlain() throws {
    try withFolder { folder in
      let file = "\(folder)/it's.yml"
      try write("grid: {dataset: [synthetic], model: [vae, ae], latentSize: [3]}\n", to: file)
      let result = try experiment(
        ["run", file, "--scale", "common", "--out", "\(folder)/a b", "--print", "--ranks", "2"])
      let lines = result.output.split(separator: "\n")
      #expect(result.status == 0 && lines.count == 2, "\(result)")
      #expect(lines.allSatisfy { $0.hasPrefix("mpirun -n 2 ") && $0.contains("'\(folder)/a b/") })
      // What has not run yet leaves its parts of a report empty.
      let report = try experiment(["report", "\(folder)/a b", "it's"])
      #expect(report.status == 0, "\(report)")
      let text = try String(contentsOfFile: "\(folder)/a b/report.md", encoding: .utf8)
      #expect(text.contains("preview/error: nothing to draw yet."), "\(text)")
      let other = try experiment(["report", "\(folder)/a b", "table3"])
      let words = "expected one of it's, found table3"
      #expect(other.status == 64 && other.errorOutput.contains(words), "\(other)")
    }
  }

  @Test(arguments: [
    ("grid: {dataset: [synthetic], model: [vae]}\nrows: 3\n", "unknown key 'rows'"),
    ("grid: {dataset: [synthetic], model: [nobody]}\n", "no model 'nobody'"),
    ("grid: {model: [vae]}\n", "expected the axes model and dataset"),
    (
      "grid: {dataset: [synthetic], model: [vae], size: [s]}\nvalues: {size: {l: {}}}\n",
      "size: expected one of l, found s"
    ),
    ("grid: {dataset: [synthetic], model: [vae], seed: [x]}\n", "seed"),
    ("like: figure12\n", "like: expected an experiment that is not itself like another"),
  ])
  func whatIsWrongInAFileIsSaid(_ grid: String, _ words: String) throws {
    try withFolder { folder in
      let file = "\(folder)/sweep.yml"
      try write(grid, to: file)
      let result = try experiment(["show", file, "--scale", "common", "--no-measure"])
      #expect(result.status == 65, "\(result)")
      #expect(result.errorOutput.contains(words), "\(result)")
    }
  }

  /// Every experiment that lathe brings can be read at every scale, and its settings are known.
  @Test func experimentsOfLatheAreWhole() throws {
    let list = try experiment(["list"])
    let names = list.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
      .prefix { $0 != "scales" }
    #expect(list.status == 0 && !names.isEmpty, "\(list)")
    for name in names {
      for scale in ["published", "common", "small"] {
        let shown = try experiment(["show", String(name), "--scale", scale, "--no-measure"])
        #expect(shown.status == 0, "\(shown)")
      }
    }
  }
}
