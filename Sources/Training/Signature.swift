import Checkpoints
import Communication
import Datasets
import Foundation
import Layers

/// What all ranks must agree on before the first step, field by field.
struct Signature: Codable {
  private struct Field: Codable { let name, value: String }
  private let fields: [Field]

  init(_ plan: TrainingPlan, _ store: ParameterStore, train: ImageSet, test: ImageSet) {
    let shapes = store.savedTensors.map { "\($0.name) \($0.shape)" }.joined(separator: ", ")
    fields = [
      Field(name: "version", value: version),
      Field(name: "model", value: plan.model), Field(name: "dataset", value: plan.dataset),
      Field(name: "configuration", value: plan.configuration.text),
      Field(name: "steps", value: "\(plan.steps)"), Field(name: "batch", value: "\(plan.batch)"),
      Field(name: "slices", value: "\(plan.slices)"), Field(name: "seed", value: "\(plan.seed)"),
      Field(name: "replacement", value: "\(plan.replacement)"),
      Field(name: "precision", value: plan.precision.rawValue),
      Field(name: "flip", value: "\(plan.flips)"),
      Field(name: "checkpoint interval", value: "\(plan.checkpointEvery)"),
      Field(name: "evaluation interval", value: "\(plan.sampleEvery)"),
      Field(name: "parameter shapes", value: shapes),
      Field(name: "training images", value: "\(train.count) images, digest \(train.digest)"),
      Field(name: "test images", value: "\(test.count) images, digest \(test.digest)"),
    ]
  }

  /// Throws on every rank when one differs from rank 0, naming it and the field. Collective.
  func compare(on world: Communicator) throws {
    let all = try world.allGather(Array(JSONEncoder().encode(self)))
    let decoded = try all.map { try JSONDecoder().decode(Signature.self, from: Data($0)) }
    for (rank, other) in decoded.enumerated() {
      for (own, field) in zip(decoded[0].fields, other.fields)
      where own.value != field.value || own.name != field.name {
        throw TrainingError.signature(
          rank: rank, field: own.name, expected: own.value, found: field.value)
      }
    }
  }
}
