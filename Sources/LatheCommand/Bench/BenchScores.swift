import ArgumentParser
import LatheFiles
import LatheKernels
import LatheMetrics
import LatheModels
import LatheTensors
import SystemPackage

struct BenchScores: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scores",
    abstract: "Times what evaluation does with codes and features.",
    usage: "lathe bench scores ARRAY [options]",
    discussion: """
        lathe bench scores codes.npy --threads 2
      ARRAY is [samples, dimensions], as `lathe encode` writes it.
      The same in scikit-learn: Tests/Peers/sklearn_scores.py
      """)

  /// What is timed.
  enum Work: String, CaseIterable, ExpressibleByArgument {
    case neighbors, prd, kmeans, gmm, tsne
  }

  @Argument(help: "A file of vectors, .npy.", completion: .file(extensions: ["npy"]))
  var array: String

  @Option(help: "Vectors that are used, from the first on.")
  var samples = 10_000

  @Option(parsing: .upToNextOption, help: "What is timed (default: all).")
  var only: [Work] = Work.allCases

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    try check("--samples", samples, atLeast: 100)
    try check("--threads", threads, in: 1...256)
  }

  func run() throws {
    Workers.setCount(threads)
    let features = try failing { try read(FilePath(array)) }
    print(
      "\(Processor.instructionSet), OpenBLAS core \(Processor.blasCore), "
        + "\(counted(threads, "thread")); \(features.count) vectors of \(features.dimensions)")
    for work in only {
      let clock = ContinuousClock()
      var summary = ""
      let time = try clock.measure { summary = try failing { try run(work, features) } }
      print("\(work.rawValue): \(String(format: "%.2f", time.seconds)) s, \(summary)")
    }
  }

  private func read(_ path: FilePath) throws -> Features {
    let rows = try NumPyArray(FileSystem.contents(of: path), path: path)
    guard rows.shape.count == 2, rows.shape[1] > 0, rows.shape[0] >= 100 else {
      throw CommandFailure.data(
        "\(path): expected at least 100 vectors [samples, dimensions], found \(rows.shape)")
    }
    let count = min(samples, rows.shape[0])
    return Features(
      rows.values[..<(count * rows.shape[1])].map { Float($0) }, dimensions: rows.shape[1])
  }

  /// Runs one of them; returns a figure by which results can be compared.
  private func run(_ work: Work, _ features: Features) throws -> String {
    switch work {
    case .neighbors:
      var nearest = NearestNeighbors(of: features, count: 4)
      try nearest.search(features, from: 0)
      let distances = nearest.found.map { $0.last!.distance }
      return "mean distance of the 4th \(distances.reduce(0, +) / Double(distances.count))"
    case .prd:
      let half = features.count / 2
      let curve = try PrecisionRecall()(
        evaluated: features[rows: 0..<half], reference: features[rows: half..<2 * half])
      return "F8 \(curve.bestF(8))"
    case .kmeans:
      let clusters = try KMeans(shares(features), count: 10, using: RandomSource(seed: 0))
      return "mean squared distance \(try clusters.inertia() / Double(features.count))"
    case .gmm:
      let shares = shares(features)
      let mixture = try GaussianMixture.fitted(to: shares, using: RandomSource(seed: 0))
      return "log-likelihood \(try mixture.logLikelihood(of: shares))"
    case .tsne:
      return "divergence \(try TSNE()(features).divergence)"
    }
  }

  private func shares(_ features: Features) -> CodeShares {
    CodeShares(features.values.map(Double.init), latentSize: features.dimensions)
  }
}
