import LatheExport
import LatheModels
import LatheTraining

/// A run's networks, and what their files say about it.
struct ExportedRun {
  let networks: TrainedNetworks
  let facts: ExportFacts
  private let saved: SavedRun
  private let sampler: Sampler.Name

  /// - Throws: `CommandFailure` for a sampler that the model does not have, or for networks that
  ///   cannot be written.
  init(_ saved: SavedRun, sampler asked: Sampler.Name?) throws {
    self.saved = saved
    let (loaded, name) = (saved.loaded, try asked ?? saved.recordedSampler)
    sampler = name
    let (own, latentSize) = (
      try failing { try loaded.model.sampler(named: name) }, loaded.latentSize
    )
    let networks = try failing {
      try TrainedNetworks(
        loaded.model, loaded.store, images: loaded.images, latentSize: latentSize, sampler: own)
    }
    self.networks = networks
    let sampling = Self.sampling(name, networks.samplerForm, latentSize)
    facts = ExportFacts(
      typeName: "\(type(of: loaded.model))", images: loaded.images, latentSize: latentSize,
      sampling: sampling, lines: Self.lines(saved, name, latentSize))
  }

  private static func lines(
    _ saved: SavedRun, _ sampler: Sampler.Name, _ latentSize: Int
  ) -> [(key: String, value: String)] {
    let (run, images) = (saved.state.run, saved.loaded.images)
    let label = saved.loaded.model.labelSize
    let labels = label == 0 ? "" : ", the last \(label) a label, which the encoder leaves out"
    return [
      ("model", run.model.name), ("dataset", run.data.dataset), ("step", "\(saved.state.step)"),
      ("parameters", parameters(saved)), ("sampler", sampler.rawValue),
      ("images", "float32 [N, \(images.height), \(images.width), \(images.channels)]"),
      ("range", "[0, 1]"), ("layout", "NHWC"), ("codes", "float32 [N, \(latentSize)]\(labels)"),
      ("version", version), ("commit", version.split(separator: "+").dropFirst().joined()),
    ]
  }

  private static func parameters(_ saved: SavedRun) -> String {
    saved.state.keepsAverage && !saved.isRaw ? "the moving average" : "as trained"
  }

  private static func sampling(
    _ name: Sampler.Name, _ form: TrainedNetworks.SamplerForm, _ latentSize: Int
  ) -> String {
    switch form {
    case .network: "Codes of new images are what `sample` makes of random numbers."
    case .standardNormal: "Codes of new images are N(0, I): torch.randn(count, \(latentSize))."
    case .other: "Codes of new images come from the sampler `\(name.rawValue)`, no network."
    }
  }

  /// For messages.
  var parameters: String { "parameters: \(Self.parameters(saved))" }

  /// What became of the sampler.
  var samplerLine: String {
    let what = sampler.summary.map { ": \($0)" } ?? ""
    return switch networks.samplerForm {
    case .network: "\(sampler.rawValue), a network"
    case .standardNormal: "\(sampler.rawValue), no network: z ~ N(0, I)"
    case .other: "\(sampler.rawValue), no network\(what)"
    }
  }

  /// The same for the weights of PyTorch.
  var metadata: [String: String] {
    var strings = Dictionary(facts.lines.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    strings["layout"] = "pytorch"
    return strings
  }
}
