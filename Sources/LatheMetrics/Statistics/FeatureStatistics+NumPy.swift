import LatheFiles
import LatheData
import SystemPackage

extension FeatureStatistics {
  /// The `mu` and `sigma` of an `.npz` file, as pytorch-fid and others keep them; stored or
  /// deflated.
  ///
  /// - Throws: `FileError`: missing if the file cannot be read; damaged if it does not hold `mu`,
  ///   [d], and `sigma`, [d, d], of finite floats.
  public init(reading path: FilePath) throws(FileError) {
    let archive = try NumPyArchive(path)
    let (mean, covariance) = (try archive.array("mu"), try archive.array("sigma"))
    try Self.check(mean, "mu", shape: [mean.values.count], in: path)
    try Self.check(covariance, "sigma", shape: [mean.values.count, mean.values.count], in: path)
    do {
      try self.init(count: nil, mean: mean.values, covariance: covariance.values)
    } catch {
      throw FileError(
        .damaged, "mu and sigma", path: path, expected: "finite numbers", found: "\(error)")
    }
  }

  private static func check(
    _ array: NumPyArray, _ name: String, shape: [Int], in path: FilePath
  ) throws(FileError) {
    if array.shape != shape {
      throw FileError(
        .damaged, "shape of \(name)", path: path, expected: "\(shape)", found: "\(array.shape)")
    }
  }

  /// Writes `mu` and `sigma` as float64 for NumPy and pytorch-fid, whole or not at all.
  ///
  /// - Throws: `FileError` (unwritable).
  public func write(to path: FilePath) throws(FileError) {
    try NumPyArchive.write(
      [
        ("mu", NumPyArray(mean, shape: [dimensions])),
        ("sigma", NumPyArray(covariance, shape: [dimensions, dimensions])),
      ], to: path)
  }
}
