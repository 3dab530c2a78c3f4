import LatheFiles
import LatheReports
import LatheTraining
import SystemPackage

/// What a run's log says, for TensorBoard: numbers by the names of the log, sample grids,
/// hyperparameters.
struct RunEvents {
  private let file: EventFile
  /// The step that the run begins or goes on after.
  private let start: Int

  /// - Throws: `FileError.unwritable`.
  init(_ run: RunConfiguration, in folder: FilePath, startingAt step: Int) throws {
    file = try EventFile(folder: folder, resumingAt: step)
    start = step
    guard step == 0 else { return }
    let (settings, configuration) = (try run.recorded, run.model.configuration)
    var parameters = settings.filter { $0.key != "configuration" }
    if case .object(let members) = configuration { parameters.merge(members) { $1 } }
    try file.add(
      hyperparameters: parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  /// The numbers of a line of the log; `group` comes before their names.
  func add(step: Int, _ members: [String: JSONValue], in group: String? = nil) throws {
    guard start == 0 || step > start else { return }
    let numbers = members.sorted { $0.key < $1.key }.compactMap { name, value in
      value.asDouble.map { (name: (group.map { $0 + "/" } ?? "") + name, value: $0) }
    }
    let left: Set = ["step", "time", "seconds", "images"]
    try file.add(step: step, numbers.filter { !left.contains($0.name) })
  }

  /// A picture; what a resumed run shows first has been shown by the run before.
  func add(step: Int, image name: String, at path: FilePath) throws {
    guard start == 0 || step > start else { return }
    try file.add(step: step, image: name, png: path)
  }
}
