import LatheFiles
import LatheData
import SystemPackage

extension FeatureStatistics {
  /// The `mu` and `sigma` of an `.npz` file, as pytorch-fid and others keep them; stored or
  /// deflated, in either order and byte order.
  ///
  /// - Throws: `FileError`: missing if the file cannot be read; damaged if it does not hold `mu`,
  ///   [d], and `sigma`, [d, d], of finite floats, with d at most 4,096, or if `sigma` is no
  ///   covariance.
  public init(reading path: FilePath) throws(FileError) {
    let archive = try Self.explaining { () throws(FileError) in try NumPyArchive(path) }
    let mean = try Self.explaining { () throws(FileError) in try archive.array("mu") }
    let size = mean.values.count
    guard mean.shape == [size], (1...Self.maximumDimensionsOfFile).contains(size) else {
      throw Self.wrong(
        "shape of mu", "[d], d from 1 to \(Self.maximumDimensionsOfFile)", "\(mean.shape)",
        in: path)
    }
    let covariance = try Self.explaining { () throws(FileError) in try archive.array("sigma") }
    guard covariance.shape == [size, size] else {
      throw Self.wrong(
        "shape of sigma", "[\(size), \(size)], as mu has \(size) values",
        "\(covariance.shape)", in: path)
    }
    try Self.requireFinite(mean, "mu", in: path)
    try Self.requireFinite(covariance, "sigma", in: path)
    try Self.requireCovariance(covariance.values, size, in: path)
    do {
      try self.init(count: nil, mean: mean.values, covariance: covariance.values)
    } catch { throw Self.wrong("mu and sigma", "statistics", "\(error)", in: path) }
  }

  private static let hint =
    "pytorch-fid's statistics are np.savez(FILE, mu=mean, sigma=covariance) of float64"

  /// An error of `body` that has no other advice says how such files are made.
  private static func explaining<Result>(
    _ body: () throws(FileError) -> Result
  ) throws(FileError) -> Result {
    do throws(FileError) { return try body() } catch {
      var error = error
      if error.kind == .damaged, error.hint == nil { error.hint = hint }
      throw error
    }
  }

  private static func wrong(
    _ what: String, _ expected: String, _ found: String, in path: FilePath
  ) -> FileError {
    FileError(.damaged, what, path: path, expected: expected, found: found, hint: hint)
  }

  private static func requireFinite(
    _ array: NumPyArray, _ name: String, in path: FilePath
  ) throws(FileError) {
    guard let place = array.values.firstIndex(where: { !$0.isFinite }) else { return }
    let columns = array.shape.last!
    let index = array.shape.count == 1 ? [place] : [place / columns, place % columns]
    throw wrong(name, "finite numbers", "\(array.values[place]) at \(index)", in: path)
  }

  /// A covariance is symmetric, up to rounding, and has no variance below zero.
  private static func requireCovariance(
    _ values: [Double], _ size: Int, in path: FilePath
  ) throws(FileError) {
    let scale = (0..<size).reduce(0) { max($0, abs(values[$1 * size + $1])) }
    for row in 0..<size {
      guard values[row * size + row] >= -1e-6 * scale else {
        throw wrong(
          "sigma", "variances of at least 0", "\(values[row * size + row]) at [\(row), \(row)]",
          in: path)
      }
      for column in 0..<row {
        let (below, above) = (values[row * size + column], values[column * size + row])
        guard abs(below - above) <= 1e-3 * max(scale, abs(below), abs(above)) else {
          throw wrong(
            "sigma", "a symmetric matrix",
            "\(below) at [\(row), \(column)], \(above) at [\(column), \(row)]", in: path)
        }
      }
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
