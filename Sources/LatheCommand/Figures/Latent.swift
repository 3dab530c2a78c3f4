import ArgumentParser
import LatheData
import LatheKernels

struct Latent: RootCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Draws a trained model's code space: t-SNE, covariance, and the mask where there is one.",
    usage: "lathe latent RUN [options]",
    discussion: """
      latent-STEP-data and -codes: t-SNE of test images (all their values) and of their codes, a \
      colour for each class.
      latent-STEP-covariance: the covariance of all test images' codes, without masked dimensions.
      latent-STEP-mask: the number of unmasked dimensions over the steps of training, for models \
      that have a mask.
        lathe latent RUN --count 1000 --out figures
      A figure that cannot be drawn, as t-SNE of fewer images than its perplexity, is left out and
      named; the others are drawn, and the status is 65.
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var figures: FigureOptions

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

  func validate() throws {
    try check("--count", count ?? oldCount, in: 0...20_000)
    try check("--perplexity", perplexity, in: 1...10_000)
    try checkSeed(seed)
  }

  func run() throws {
    let count = renamedOption(oldCount, "--samples", to: "--count") ?? count ?? 2000
    Workers.setCount(source.threads)
    let saved = try source.run()
    try figures.prepare(in: saved.pictures)
    let test = try saved.images(.test, at: source.data)
    let drawing = LatentFigures(command: self, saved: saved, images: test)
    let codes = drawing.codes()
    var leftOut = LeftOut()
    leftOut.attempt("covariance") { try drawing.covariance(of: codes) }
    leftOut.attempt("mask") { try drawing.maskTrajectory() }
    if count > 0 {
      leftOut.attempt("t-SNE") { try drawing.maps(of: codes, min(count, test.count)) }
    }
    try leftOut.finish()
  }
}
