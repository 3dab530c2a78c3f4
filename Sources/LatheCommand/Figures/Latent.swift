import ArgumentParser
import LatheData
import LatheKernels

/// The figures of `lathe latent`.
enum LatentFigure: String, ExpressibleByArgument, CaseIterable {
  case covariance, correlation, mask
  case tsne = "t-sne"
}

struct Latent: SharedFigure {
  static let configuration = CommandConfiguration(
    abstract:
      "Draws trained models' code spaces: t-SNE, covariance, and the mask where there is one.",
    usage: "lathe latent RUN… [options]",
    discussion: """
      latent-STEP-data and -codes: t-SNE of test images (all their values) and of their codes, a \
      colour for each class; for generated vectors, by the first number that they were made from.
      latent-STEP-covariance: the covariance of all test images' codes, without masked dimensions.
      latent-STEP-mask: the number of unmasked dimensions over the steps of training, for models \
      that have a mask.
        lathe latent RUN --count 1000 --out figures
      With several runs each figure shows them side by side: matrices on one colour scale, t-SNE \
      of the images beside that of each run's codes. Ranks of mpirun share the work:
        mpirun -n 2 lathe latent runs/aae-mnist runs/maskaae-mnist --out figures
        lathe latent RUN RUN --figure covariance --out covariance.png
      A figure that cannot be drawn, as t-SNE of fewer images than its perplexity, is left out and
      named; the others are drawn, and the status is 65.
      """)

  @OptionGroup var source: RunsOptions
  @OptionGroup var figures: FigureOptions

  @Option(
    help: """
      The one figure to draw: covariance, correlation, mask or t-sne (default: all but correlation).
      """)
  var figure: LatentFigure?

  @Option(help: "Test images for t-SNE, the first ones; 0 for no t-SNE (default: 2000).")
  var count: Int?

  @Option(name: .customLong("samples"), help: .hidden)
  var oldCount: Int?

  @Option(help: "Perplexity of t-SNE.")
  var perplexity = 30.0

  @Option(help: "Where points of t-SNE begin.")
  var seed: UInt64 = 0

  @Option(help: "Colour by this attribute, for data sets without classes.")
  var attribute: String?

  @Option(help: "Colour by this one of the numbers that vectors were made from (default: 0).")
  var factor: Int?

  func validate() throws {
    try check("--count", count ?? oldCount, in: 0...20_000)
    try check("--perplexity", perplexity, in: 1...10_000)
    try check("--factor", factor, atLeast: 0)
    try checkSeed(seed)
    guard attribute == nil || factor == nil else {
      throw ValidationError("--attribute, --factor: give one of them")
    }
  }

  func run() throws {
    let count = renamedOption(oldCount, "--samples", to: "--count") ?? count ?? 2000
    Workers.setCount(source.threads)
    let runs = try source.runs()
    if Launcher.isRoot { try figures.prepare(in: runs.pictures) }
    let test = try runs.images(asked: .test, at: source.data).sets
    let world = try RankedJob.start().world
    let drawing = LatentFigures(command: self, runs: runs, images: test, world: world)
    let maps = LatentMaps(drawing: drawing, count: min(count, test[0].count))
    let wanted: [LatentFigure] = figure.map { [$0] } ?? [.covariance, .mask, .tsne]
    var leftOut = LeftOut()
    for figure in wanted where figure != .tsne || count > 0 {
      leftOut.attempt(figure == .tsne ? "t-SNE" : figure.rawValue) {
        switch figure {
        case .covariance, .correlation: try drawing.matrices(figure)
        case .mask: try drawing.masks()
        case .tsne: try maps.draw()
        }
      }
    }
    try leftOut.finish()
  }
}
