import CPNG
import LatheFiles
import SystemPackage

// libpng reports errors by longjmp, which must not cross Swift frames. Its simplified interface
// catches them itself and returns a status and a message, so only that interface is used here.

extension Picture {
  /// Writes the picture as a PNG file, whole or not at all.
  ///
  /// - Throws: `FileError` if libpng refuses it or the file cannot be written.
  public func write(to path: FilePath) throws(FileError) {
    try FileSystem.replace(path, with: try encoded(for: path), isSynced: false)
  }

  /// Reads a PNG file: grey as one channel, colours as three, transparency laid on black.
  ///
  /// - Throws: `FileError` if the file cannot be read, is no intact PNG, or expands to more than
  ///   a gibibyte.
  public static func read(_ path: FilePath) throws(FileError) -> Picture {
    let bytes = try FileSystem.contents(of: path)
    return try bytes.withUnsafeBufferPointer { (source) throws(FileError) -> Picture in
      try decoded(UnsafeRawBufferPointer(source), path: path)
    }
  }

  func encoded(for path: FilePath) throws(FileError) -> [UInt8] {
    var image = png_image.current
    image.width = png_uint_32(clamping: width)
    image.height = png_uint_32(clamping: height)
    image.format = channels == 1 ? 0 : PNG_FORMAT_FLAG_COLOR
    defer { png_image_free(&image) }
    var size = largestEncoding
    var bytes = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else {
      throw FileError(
        .unwritable, "PNG", path: path, expected: "a picture that libpng takes", found: image.text)
    }
    bytes.removeLast(bytes.count - size)
    return bytes
  }

  /// The bound of libpng's `PNG_IMAGE_PNG_SIZE_MAX`: deflate's worst case and the chunks around it.
  private var largestEncoding: Int {
    let filtered = height * (width * channels + 1)
    let deflated = filtered + (filtered + 7) / 8 + (filtered + 63) / 64 + 11
    return deflated + 12 * (deflated / 8192 + 1) + 256
  }

  private static func decoded(_ source: UnsafeRawBufferPointer, path: FilePath)
    throws(FileError) -> Picture
  {
    var image = png_image.current
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, source.baseAddress, source.count) != 0 else {
      throw damaged(image.text, path)
    }
    image.format &= PNG_FORMAT_FLAG_COLOR
    let channels = image.format == 0 ? 1 : 3
    let count = Int(image.width) * Int(image.height) * channels
    guard count <= 1 << 30 else {
      throw damaged("\(image.width) × \(image.height) pixels, which are too many", path)
    }
    var pixels = [UInt8](repeating: 0, count: count)
    guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
      throw damaged(image.text, path)
    }
    return Picture(
      width: Int(image.width), height: Int(image.height), channels: channels, pixels: pixels)
  }
}

private func damaged(_ found: String, _ path: FilePath) -> FileError {
  FileError(.damaged, "PNG", path: path, expected: "an intact picture", found: found)
}

extension png_image {
  /// An empty control block of the version that this code is written for.
  fileprivate static var current: png_image {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    return image
  }

  /// libpng's message.
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
