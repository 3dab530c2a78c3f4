import Foundation
import LatheData
import LatheDistributed
import LatheFiles
import LatheNN

/// What all ranks must agree on before the first step, field by field.
struct Signature: Codable {
  private struct Field: Codable { let name, value: String }
  private let fields: [Field]

  init(_ run: RunConfiguration, _ store: ParameterStore, train: ImageSet, test: ImageSet) throws {
    let settings = try RunConfiguration.list.fields(of: run) { $0 != .free }
    fields =
      [Field(name: "version", value: version)]
      + settings.map { Field(name: $0.name, value: $0.value.text) }
      + [("training", train), ("test", test)].map { split, images in
        Field(name: "\(split) images", value: "\(images.count) images, digest \(images.digest)")
      }
      + store.savedTensors.map { Field(name: "parameter \($0.name)", value: "\($0.shape)") }
  }

  /// Throws on every rank when one differs from rank 0, naming it and the fields. Collective.
  func compare(on world: Communicator) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let all = try world.differing(Array(encoder.encode(self))) else { return }
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
