import SystemPackage

/// The files below a folder, each once, whatever links there are.
///
/// A folder that has been read before, by its device and inode, is not read again: a link that
/// points upwards ends there. Hidden files and folders, whose names begin with a dot, and what
/// other systems leave behind (`__MACOSX`, `Thumbs.db`, `desktop.ini`) do not count.
package struct FolderWalk {
  /// A file or link to one.
  package struct File: Sendable {
    /// Its path below the folder.
    package let name: FileName
    package let status: FileSystem.Status
  }

  /// Something that cannot be opened.
  package struct Fault: Sendable {
    package let name: FileName
    package let isFolder: Bool
    package let error: FileError
  }

  /// Regular files, sorted by name.
  package private(set) var files: [File] = []
  /// What cannot be opened: broken links, FIFOs, folders that may not be read.
  package private(set) var faults: [Fault] = []
  /// Links that lead to folders that have been read before.
  package private(set) var loops: [FileName] = []
  /// Files that have been reached before by another name.
  package private(set) var repetitions: [FileName] = []

  private let isDeep: Bool
  private let precedence: (FileName) -> Int
  private var read: Set<FileSystem.Identity> = []

  /// Reads a folder and, if `isDeep`, those below; of two folders in one, that of the lower
  /// `precedence` is read first, so that a file under two names keeps the one in it.
  ///
  /// - Throws: `FileError` (missing) if the folder itself cannot be read.
  package init(
    _ folder: FilePath, isDeep: Bool = true, precedence: @escaping (FileName) -> Int = { _ in 0 }
  ) throws(FileError) {
    self.isDeep = isDeep
    self.precedence = precedence
    if let status = FileSystem.status(folder) { read.insert(status.identity) }
    try add(folder, as: FileName(""))
    files.sort { $0.name < $1.name }
  }

  /// Whether a name is that of a hidden file, or of what another system leaves behind.
  package static func isNoise(_ name: FileName) -> Bool {
    if name.isHidden { return true }
    return ["__macosx", "thumbs.db", "desktop.ini"].contains(name.description.lowercased())
  }

  private mutating func add(_ folder: FilePath, as name: FileName) throws(FileError) {
    var folders: [(name: FileName, path: FilePath, status: FileSystem.Status)] = []
    var rest: [(name: FileName, path: FilePath, status: FileSystem.Status)] = []
    for child in try FileSystem.fileNames(in: folder) where !Self.isNoise(child) {
      let path = folder.appending(child)
      guard let status = FileSystem.status(path) else {
        let error = FileSystem.lastError(.missing, "read", path)
        faults.append(Fault(name: name.appending(child), isFolder: false, error: error))
        continue
      }
      if status.isFolder {
        folders.append((child, path, status))
      } else {
        rest.append((child, path, status))
      }
    }
    let order = folders.indices.sorted {
      (precedence(folders[$0].name), $0) < (precedence(folders[$1].name), $1)
    }
    if isDeep {
      for place in order {
        let folder = folders[place]
        enter(folder.path, folder.status, as: name.appending(folder.name))
      }
    }
    for file in rest { add(file.path, file.status, as: name.appending(file.name)) }
  }

  private mutating func enter(_ folder: FilePath, _ status: FileSystem.Status, as name: FileName) {
    guard isNew(status) else { return loops.append(name) }
    do throws(FileError) { try add(folder, as: name) } catch {
      faults.append(Fault(name: name, isFolder: true, error: error))
    }
  }

  private mutating func add(_ path: FilePath, _ status: FileSystem.Status, as name: FileName) {
    guard status.kind == .file else {
      let error = FileError(
        .missing, "file", path: path, expected: "a regular file", found: status.kind.rawValue)
      return faults.append(Fault(name: name, isFolder: false, error: error))
    }
    guard isNew(status) else { return repetitions.append(name) }
    files.append(File(name: name, status: status))
  }

  /// Some file systems number nothing; there, everything is new.
  private mutating func isNew(_ status: FileSystem.Status) -> Bool {
    status.identity.number == 0 || read.insert(status.identity).inserted
  }
}
