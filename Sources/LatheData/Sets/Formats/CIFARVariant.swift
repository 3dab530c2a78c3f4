import LatheFiles
import SystemPackage

/// What is often taken for the binary version of CIFAR-10.
enum CIFARVariant: String {
  case python = "the Python version of CIFAR-10; lathe reads the binary version"
  case matlab = "the MATLAB version of CIFAR-10; lathe reads the binary version"
  case hundred = "CIFAR-100, another data set, which lathe does not read"
  case pictures = "CIFAR-10 as pictures, as Kaggle has it; unpacked, they can be used as a folder"

  /// The variant whose names are among those of a folder or an archive; nil if none is.
  init?(_ names: some Sequence<String>) {
    let pieces = Set(names.flatMap { $0.split(separator: "/").map(String.init) })
    func has(_ names: String...) -> Bool { names.contains { pieces.contains($0) } }
    if has(
      "cifar-100-python", "cifar-100-binary", "cifar-100-python.tar.gz",
      "cifar-100-binary.tar.gz", "fine_label_names.txt", "cifar-100-matlab")
    {
      self = .hundred
    } else if has(
      "cifar-10-batches-py", "cifar-10-python.tar.gz", "data_batch_1", "test_batch",
      "batches.meta")
    {
      self = .python
    } else if has(
      "cifar-10-batches-mat", "cifar-10-matlab.tar.gz", "data_batch_1.mat", "test_batch.mat")
    {
      self = .matlab
    } else if has("train.7z", "trainLabels.csv") {
      self = .pictures
    } else {
      return nil
    }
  }

  /// - Throws: `FileError` (mismatch) if a place, a file or a folder, is such a variant.
  static func refuse(at place: FilePath, _ entry: Dataset) throws(FileError) {
    let isFile = FileSystem.isFile(place)
    let names = isFile ? [place.lastComponent?.string ?? ""] : try? FileSystem.names(in: place)
    guard let names, let variant = CIFARVariant(names) else { return }
    throw FileError(
      .mismatch, entry.name, path: place, expected: "the binary version of CIFAR-10",
      found: variant.rawValue, hint: entry.instructions)
  }
}
