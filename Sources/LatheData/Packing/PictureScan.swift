import LatheFiles
import SystemPackage

/// The pictures that a folder or an archive holds, and what is passed over there.
struct PictureScan {
  struct Picture {
    let name: FileName
    /// Nil in an archive.
    let status: FileSystem.Status?
  }

  /// Sorted by name.
  private(set) var pictures: [Picture] = []
  /// Pictures that cannot be opened, and folders that cannot be read.
  private(set) var faults: [FolderWalk.Fault] = []
  private var loops: [FileName] = []
  private var repetitions: [FileName] = []
  /// Links that lead nowhere and are not named like files: folders, perhaps.
  private var brokenLinks: [FileName] = []
  /// Files that are no pictures, by their endings.
  private var others: [String: Int] = [:]

  /// - Throws: `FileError` (missing) if the folder cannot be read.
  init(_ store: ImageStore, isDeep: Bool) throws(FileError) {
    switch store {
    case .folder(let folder): try read(folder, isDeep: isDeep)
    case .zip(let archive, _, let places):
      pictures = places.keys.sorted().map { Picture(name: $0, status: nil) }
      for entry in archive.entries { countIfOther(FileName(entry.name)) }
    }
  }

  private mutating func read(_ folder: FilePath, isDeep: Bool) throws(FileError) {
    let walk = try FolderWalk(folder, isDeep: isDeep, precedence: FolderParts.precedence)
    for file in walk.files {
      if ImageStore.isPicture(file.name) {
        pictures.append(Picture(name: file.name, status: file.status))
      } else {
        countIfOther(file.name)
      }
    }
    for fault in walk.faults {
      if fault.isFolder || ImageStore.isPicture(fault.name) {
        faults.append(fault)
      } else if fault.error.systemError != nil, fault.name.ending == nil {
        brokenLinks.append(fault.name)
      } else {
        countIfOther(fault.name)
      }
    }
    (loops, repetitions) = (walk.loops, walk.repetitions.filter(ImageStore.isPicture))
  }

  private mutating func countIfOther(_ name: FileName) {
    guard !ImageStore.isPicture(name), !name.components.contains(where: FolderWalk.isNoise)
    else { return }
    let ending = name.ending.map { $0.count > 12 ? "other" : $0 } ?? "without ending"
    others[ending, default: 0] += 1
  }

  /// A line for each way in which something was passed over.
  var notes: [String] {
    var notes: [String] = []
    if let passedOver { notes.append(passedOver) }
    if !loops.isEmpty {
      notes.append(
        "\(Self.some(loops)): \(loops.count == 1 ? "leads" : "lead") to a folder that is read "
          + "already: not followed")
    }
    if !brokenLinks.isEmpty {
      notes.append("\(Self.some(brokenLinks)): a broken link, nothing is read there")
    }
    if !repetitions.isEmpty {
      notes.append("reached twice, counted once: \(Self.some(repetitions))")
    }
    return notes
  }

  /// "5 files not read: 2 webp, 1 bmp, …"; nil if there are none.
  var passedOver: String? {
    let count = others.values.reduce(0, +)
    guard count > 0 else { return nil }
    let kinds = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var parts = kinds.prefix(8).map { "\($0.value) \($0.key.printable)" }
    let rest = kinds.dropFirst(8).reduce(0) { $0 + $1.value }
    if rest > 0 { parts.append("\(rest) of other kinds") }
    return "\(count) \(count == 1 ? "file" : "files") not read: " + parts.joined(separator: ", ")
  }

  /// The first names of a list, and how many more there are.
  static func some(_ names: [FileName]) -> String {
    let shown = names.prefix(3).map(\.description).joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}
