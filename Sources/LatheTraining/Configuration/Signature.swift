import LatheFiles
import LatheDistributed
import LatheData
import Foundation
import LatheNN

/// What all ranks must agree on before the first step, field by field.
struct Signature: Codable {
  private struct Field: Codable { let name, value: String }
  private let fields: [Field]

  init(_ plan: TrainingPlan, _ store: ParameterStore, train: ImageSet, test: ImageSet) {
    fields =
      Signature.run(plan, train: train, test: test)
      + store.savedTensors.map { Field(name: "parameter \($0.name)", value: "\($0.shape)") }
  }

  private static func run(_ plan: TrainingPlan, train: ImageSet, test: ImageSet) -> [Field] {
    [
      Field(name: "version", value: version),
      Field(name: "model", value: plan.model), Field(name: "dataset", value: plan.dataset),
      Field(name: "steps", value: "\(plan.steps)"), Field(name: "batch", value: "\(plan.batch)"),
      Field(name: "slices", value: "\(plan.slices)"), Field(name: "seed", value: "\(plan.seed)"),
      Field(name: "batch statistics", value: plan.batchStatistics.rawValue),
      Field(name: "overlap", value: plan.overlap.rawValue),
      Field(name: "replacement", value: "\(plan.replacement)"),
      Field(name: "precision", value: plan.precision.rawValue),
      Field(name: "sampler", value: plan.sampler.rawValue),
      Field(name: "flip", value: "\(plan.flips)"),
      Field(name: "checkpoint interval", value: "\(plan.checkpointEvery)"),
      Field(name: "evaluation interval", value: "\(plan.previewEvery)"),
      Field(name: "measurement interval", value: "\(plan.evaluateEvery)"),
      Field(name: "training images", value: "\(train.count) images, digest \(train.digest)"),
      Field(name: "test images", value: "\(test.count) images, digest \(test.digest)"),
    ] + configuration(plan)
  }

  private static func configuration(_ plan: TrainingPlan) -> [Field] {
    guard case .object(let members) = plan.configuration else {
      return [Field(name: "configuration", value: plan.configuration.text)]
    }
    return members.sorted { $0.key < $1.key }.map { Field(name: $0.key, value: $0.value.text) }
  }

  /// Throws on every rank when one differs from rank 0, naming it and the fields. Collective.
  func compare(on world: Communicator) throws {
    let all = try world.allGather(Array(JSONEncoder().encode(self)))
    let hosts = try world.allGather(Array(world.host.utf8))
    let decoded = try all.map { try JSONDecoder().decode(Signature.self, from: Data($0)) }
    for (rank, other) in decoded.enumerated() {
      let differences = decoded[0].differences(from: other)
      guard differences.isEmpty else {
        throw TrainingError.signature(
          rank: rank, host: String(decoding: hosts[rank], as: UTF8.self), differences: differences)
      }
    }
  }

  /// Concretely, "seed: expected 1, found 2", for each field in which `other` differs or that it
  /// lacks.
  private func differences(from other: Signature) -> [String] {
    let found = Dictionary(other.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    return fields.filter { found[$0.name] != $0.value }
      .map { "\($0.name): expected \($0.value), found \(found[$0.name] ?? "nothing")" }
  }
}
