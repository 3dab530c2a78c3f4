import LatheFiles
import SystemPackage

/// A file of a data set as it was published.
package struct PublishedFile: Sendable {
  package let name: String
  /// Bytes.
  package let size: Int
  /// SHA-256, or MD5 where nothing else was published, in hexadecimal.
  package let digest: String

  package init(_ name: String, _ size: Int, _ digest: String) {
    (self.name, self.size, self.digest) = (name, size, digest)
  }

  package var digestName: String { digest.count == 32 ? "MD5" : "SHA-256" }

  /// In what a file differs; nil if it is the published one.
  ///
  /// - Throws: `FileError` (missing) if it cannot be read.
  package func difference(of path: FilePath) throws(FileError) -> String? {
    let file = try MappedFile(path)
    return withExtendedLifetime(file) {
      guard file.bytes.count == size else {
        return "expected \(size) bytes, found \(file.bytes.count)" + kind(file.bytes)
      }
      let found = digest(of: file.bytes)
      guard found != digest else { return nil }
      return "expected \(digestName) \(digest), found \(found)" + kind(file.bytes)
    }
  }

  private func digest(of bytes: UnsafeRawBufferPointer) -> String {
    guard digest.count == 64 else { return MD5.hexadecimal(of: bytes) }
    var digest = SHA256()
    digest.update(bytes)
    return digest.hexadecimal
  }

  private func kind(_ bytes: UnsafeRawBufferPointer) -> String {
    contentKind(Array(bytes.prefix(2048))).map { ", \($0)" } ?? ""
  }
}
